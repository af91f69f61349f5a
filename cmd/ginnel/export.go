package main

// exportCommands: everything as JSON.
var exportCommands []command
