package main

// endpointCommands: what this machine says of where it is reached.
var endpointCommands []command
