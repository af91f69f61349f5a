package main

// doctorCommands: what is wrong and what to do.
var doctorCommands []command
