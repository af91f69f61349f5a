package main

// innernetCommands are the commands of innernet and innernet-server, each with
// ours that does the same: those who come from there type them for a while.
// docs/from-innernet.md tells the differences. (No map: filling it takes 2 kB of
// code.)
var innernetCommands = [...][2]string{
	{"new", "network create"}, {"init", "network create"}, {"serve", "daemon"},
	{"install", "join"}, {"redeem", "join"}, {"uninstall", "leave"},
	{"show", "status"}, {"list", "status"},
	{"add-peer", "peer invite"}, {"rename-peer", "peer rename"},
	{"disable-peer", "peer disable"}, {"enable-peer", "peer enable"},
	{"add-cidr", "cidr add"}, {"rename-cidr", "cidr rename"}, {"delete-cidr", "cidr remove"}, {"list-cidrs", "cidr list"},
	{"add-association", "association add"}, {"delete-association", "association remove"}, {"list-associations", "association list"},
	{"set-listen-port", "listen-port set"},
	{"override-endpoint", "endpoint set"}, {"override-peer-endpoint", "override set"},
	{"completions", "completion"},
}
