package main

// overrideCommands: where this machine reaches others.
var overrideCommands []command
