package main

// listenPortCommands: the port of the tunnel.
var listenPortCommands []command
