package main

// fetchCommands: asking the coordinator now.
var fetchCommands []command
