package main

// completionCommands: scripts for shells.
var completionCommands []command
