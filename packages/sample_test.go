package packages_test

import (
	"strings"
	"testing"

	"ginnel/packages"
	"ginnel/packages/packagestest"
)

func TestCheck(t *testing.T) {
	if err := packagestest.Sample().Check(); err != nil {
		t.Error(err)
	}
	for name, tc := range map[string]struct {
		spoil func(*packages.Package)
		want  string
	}{
		"no name":       {func(p *packages.Package) { p.Name = "" }, "needs a name"},
		"no release":    {func(p *packages.Package) { p.Release = 0 }, "needs a name"},
		"git's version": {func(p *packages.Package) { p.Version = "0.1.0-12-gabcdef" }, "numbers and dots"},
		"before it":     {func(p *packages.Package) { p.Commits = -1 }, "needs a name"},
		"tag":           {func(p *packages.Package) { p.Version = "v1.0" }, "numbers and dots"},
		"two lines":     {func(p *packages.Package) { p.Summary = "a\nb" }, "more than one line"},
		"relative path": {func(p *packages.Package) { p.Files[0].Path = "usr/bin/x" }, "absolute"},
		"path upwards":  {func(p *packages.Package) { p.Files[0].Path = "/usr/../x" }, "absolute"},
		"file twice":    {func(p *packages.Package) { p.Files = append(p.Files, p.Files[0]) }, "once"},
	} {
		p := packagestest.Sample()
		tc.spoil(p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, tc.want)
		}
	}
}

func TestDirectories(t *testing.T) {
	got := strings.Join(packagestest.Sample().Directories(), " ")
	if want := "/etc /etc/config /etc/init.d /usr /usr/bin"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
