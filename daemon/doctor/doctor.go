// Package doctor tells what is wrong with a machine's networks and what to do,
// from facts that were gathered about it. It is pure: facts in, findings out.
//
// The checks stand in the order in which things depend on each other, from the
// files up to the other peers. A check that can only fail because an earlier
// one has is not made: so the first failure is what to mend, and the list has
// one failure for each fault. Evidence counts for more than suspicion: what
// answers is well, whatever else looks odd about it.
package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Verdict is how a check came out.
type Verdict string

// The verdicts.
const (
	OK         Verdict = "ok"
	Warning    Verdict = "warning" // it works, or may work, but not as well as it could
	Failed     Verdict = "failed"
	NotChecked Verdict = "not checked" // the finding says why
)

// Finding is one check's.
type Finding struct {
	Network string   `json:"network,omitempty"` // empty: the machine's
	Check   string   `json:"check"`
	Verdict Verdict  `json:"verdict"`
	Seen    string   `json:"seen"`
	Advice  []string `json:"advice,omitempty"` // what to do, the likeliest first
}

// Report is the whole page.
type Report struct {
	Verdict  Verdict   `json:"verdict"` // the worst of the findings
	Summary  string    `json:"summary"` // one sentence
	Findings []Finding `json:"findings"`
}

// check is one row of a table of checks.
type check struct {
	name  string
	needs []string // checks without which this one has no chance
	peers bool     // only where this machine is not the coordinator
	// look returns nil where there is nothing to look at.
	look func(*exam) *Finding
}

// exam is the examination of one network, or, with n nil, of the machine.
type exam struct {
	*Facts
	n *Network
	// broken has for each check that failed, or was not made for that reason,
	// the failure behind it.
	broken map[string]string
}

var machineChecks = []check{
	{name: "configuration", look: checkConfiguration},
	{name: "files", look: checkFiles},
	{name: "disk", look: checkDisk},
	{name: "clock", look: checkClock},
	{name: "daemon", needs: []string{"configuration", "files", "disk"}, look: checkDaemon},
}

var networkChecks = []check{
	{name: "state", needs: []string{"configuration", "files"}, look: checkState},
	{name: "book", needs: []string{"state"}, look: checkBook},
	{name: "wireguard", needs: []string{"state", "book"}, look: checkWireGuard},
	{name: "ports", look: checkPorts},
	{name: "network", needs: []string{"daemon", "state", "book", "wireguard", "ports"}, look: checkNetwork},
	{name: "addresses", look: checkAddresses},
	{name: "names", needs: []string{"configuration"}, look: checkNames},
	{name: "route", peers: true, needs: []string{"names", "addresses"}, look: checkRoute},
	{name: "rp_filter", peers: true, needs: []string{"addresses", "network"}, look: checkReversePath},
	{name: "forwarding", look: checkForwarding},
	{name: "firewall", look: checkFirewall},
	{name: "udp", peers: true, needs: []string{"names", "route", "firewall"}, look: checkUDP},
	{name: "handshake", peers: true, needs: []string{"clock", "network", "addresses", "names", "route", "rp_filter", "firewall", "udp"}, look: checkHandshake},
	{name: "api", needs: []string{"network", "rp_filter", "firewall", "handshake"}, look: checkAPI},
	{name: "token", peers: true, needs: []string{"api"}, look: checkToken},
	{name: "standing", peers: true, needs: []string{"api", "token"}, look: checkStanding},
	{name: "mtu", needs: []string{"network", "api"}, look: checkMTU},
	{name: "contact", peers: true, needs: []string{"api", "token", "standing"}, look: checkContact},
	{name: "peers", needs: []string{"network"}, look: checkPeers},
	{name: "reports", needs: []string{"daemon"}, look: checkReports},
}

// Examine makes the checks.
func Examine(f *Facts) *Report {
	machine := &exam{Facts: f, broken: map[string]string{}}
	r := &Report{Findings: machine.make(machineChecks)}
	for i := range f.Networks {
		x := &exam{Facts: f, n: &f.Networks[i], broken: map[string]string{}}
		for name, cause := range machine.broken {
			x.broken[name] = cause
		}
		if x.n.isOff() {
			r.Findings = append(r.Findings, x.off())
			continue
		}
		r.Findings = append(r.Findings, x.make(networkChecks)...)
	}
	r.conclude()
	return r
}

// make makes the checks of a table.
func (x *exam) make(table []check) (found []Finding) {
	for _, c := range table {
		if c.peers && x.n.IsCoordinator() {
			continue
		}
		f := c.look(x)
		if f == nil {
			continue
		}
		f.Check = c.name
		if x.n != nil {
			f.Network = x.n.Name
		}
		cause := x.cause(c.needs)
		switch {
		case f.Verdict == Failed && cause == "":
			x.broken[c.name] = c.name
		case f.Verdict != OK && cause != "":
			x.broken[c.name] = cause
			f.Verdict, f.Seen, f.Advice = NotChecked, "this depends on "+cause, nil
		}
		found = append(found, *f)
	}
	return found
}

// cause returns the failure behind the first of needs that is broken.
func (x *exam) cause(needs []string) string {
	for _, name := range needs {
		if cause := x.broken[name]; cause != "" {
			return cause
		}
	}
	return ""
}

// off is all that is said of a network that is switched off.
func (x *exam) off() Finding {
	f := unknown("it is switched off"+do+"`ginnel up %s` switches it on.", x.n.Name)
	f.Network, f.Check = x.n.Name, "network"
	return *f
}

// conclude sums up.
func (r *Report) conclude() {
	count := func(v Verdict) (n int, first *Finding) {
		for i := range slices.Backward(r.Findings) {
			if r.Findings[i].Verdict == v {
				n, first = n+1, &r.Findings[i]
			}
		}
		return n, first
	}
	failures, failure := count(Failed)
	warnings, warning := count(Warning)
	unseen, _ := count(NotChecked)
	switch {
	case failures > 0:
		r.Verdict = Failed
		r.Summary = fmt.Sprintf("Something is wrong with the %s: %s.", failure.subject(), failure.Seen)
	case warnings > 0:
		r.Verdict = Warning
		r.Summary = fmt.Sprintf("It works, with a doubt about the %s: %s.", warning.subject(), warning.Seen)
	case unseen > 0:
		r.Verdict = OK
		r.Summary = fmt.Sprintf("Nothing wrong was found; %d of %d checks could not be made.", unseen, len(r.Findings))
	default:
		r.Verdict = OK
		r.Summary = fmt.Sprintf("All is well: %d checks found nothing wrong.", len(r.Findings))
	}
}

// subject names the check in a sentence.
func (f *Finding) subject() string {
	if f.Network == "" {
		return f.Check
	}
	return f.Check + " of network " + f.Network
}

// do stands between what was seen and each advice, in the text of a finding.
const do = "\n> "

// say makes a finding of a text.
func say(v Verdict, format string, args []any) *Finding {
	parts := strings.Split(fmt.Sprintf(format, args...), do)
	return &Finding{Verdict: v, Seen: parts[0], Advice: parts[1:]}
}

func ok(format string, args ...any) *Finding      { return say(OK, format, args) }
func unknown(format string, args ...any) *Finding { return say(NotChecked, format, args) }
func warning(format string, args ...any) *Finding { return say(Warning, format, args) }
func failed(format string, args ...any) *Finding  { return say(Failed, format, args) }

// plural counts things whose name has a regular plural.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
