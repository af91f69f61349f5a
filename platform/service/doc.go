// Package service tells the supervisor that started the program how the program
// is: systemd, by sd_notify(3). procd and others want to hear nothing; for them
// all of this does nothing, and it is left out of builds with the tag kernelonly,
// which are for systems that have procd.
package service
