package main

// pinCommands: the keys this machine has accepted.
var pinCommands []command
