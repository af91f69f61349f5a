package apk_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"ginnel/packages"
	"ginnel/packages/adb"
	"ginnel/packages/apk"
	"ginnel/packages/packagestest"
)

func writer(key *adb.Key) func(*packages.Package) ([]byte, error) {
	return func(p *packages.Package) ([]byte, error) {
		var b bytes.Buffer
		_, err := apk.Write(&b, p, key)
		return b.Bytes(), err
	}
}

func TestInfo(t *testing.T) {
	r := open(t, packagestest.Reproducible(t, writer(nil)))
	if r.schema != "pckg" || len(r.sigs) != 0 {
		t.Errorf("schema %q, %d signatures", r.schema, len(r.sigs))
	}
	info := r.field(r.root(), 1)
	for n, want := range map[int]string{
		1: "sample", 2: "1.2.3_git7-r4", 4: "a package to test with", 5: "all", 6: "MIT", 7: "sample", 8: "Nobody <nobody@example.org>", 9: "https://example.org/",
	} {
		if got := r.text(r.field(info, n)); got != want {
			t.Errorf("field %d is %q, want %q", n, got, want)
		}
	}
	if built, size := r.number(r.field(info, 11)), r.number(r.field(info, 12)); built != 1_700_000_000 || size != 120_039 {
		t.Errorf("built at %d, %d bytes", built, size)
	}
	var depends []string
	for _, d := range r.slots(r.field(info, 15))[1:] {
		depends = append(depends, r.text(r.field(d, 1)))
	}
	if got := strings.Join(depends, " "); got != "aardvark zebra" {
		t.Errorf("depends on %s: readers want them sorted", got)
	}
	// What the package calls itself by is the hash of all of it without that.
	hash := r.text(r.field(info, 3))
	if sum := sha256.Sum256(bytes.Replace(r.tree, []byte(hash), make([]byte, 20), 1)); hash != string(sum[:20]) {
		t.Errorf("the package calls itself %x, want %x", hash, sum[:20])
	}
}

func TestContents(t *testing.T) {
	p := packagestest.Sample()
	r := open(t, packagestest.Reproducible(t, writer(nil)))
	got := map[string]string{}
	var order []string
	for i, dir := range r.slots(r.field(r.root(), 2)) {
		if i == 0 {
			continue
		}
		name := "/" + r.text(r.field(dir, 1))
		order = append(order, name)
		for j, f := range r.slots(r.field(dir, 3)) {
			if j == 0 {
				continue
			}
			path := strings.TrimSuffix(name, "/") + "/" + r.text(r.field(f, 1))
			access := r.field(f, 2)
			content := r.data[[2]uint32{uint32(i), uint32(j)}]
			if sum := sha256.Sum256([]byte(content)); r.text(r.field(f, 5)) != string(sum[:]) || r.number(r.field(f, 3)) != uint64(len(content)) {
				t.Errorf("%s: size or hash is not that of its content", path)
			}
			if owner, group := r.text(r.field(access, 2)), r.text(r.field(access, 3)); owner != "root" || group != "root" {
				t.Errorf("%s belongs to %s:%s", path, owner, group)
			}
			got[path] = fmt.Sprintf("%o %s", r.number(r.field(access, 1)), content)
		}
	}
	if got, want := strings.Join(order, " "), "/ /etc /etc/config /etc/init.d /lib /lib/apk /lib/apk/packages /usr /usr/bin"; got != want {
		t.Errorf("directories %s, want %s: readers want them sorted", got, want)
	}
	for _, f := range p.Files {
		if want := fmt.Sprintf("%o %s", f.Mode, f.Content); got[f.Path] != want {
			t.Errorf("%s is %.60q, want %.60q", f.Path, got[f.Path], want)
		}
	}
	static := fmt.Sprintf("644 /etc/config/sample %x\n", sha256.Sum256([]byte("config sample\n")))
	for path, want := range map[string]string{
		"/lib/apk/packages/sample.list":             "644 /etc/config/sample\n/etc/empty\n/etc/init.d/sample\n/usr/bin/sample\n",
		"/lib/apk/packages/sample.rusers":           "644 sam:sam\n",
		"/lib/apk/packages/sample.conffiles":        "644 /etc/config/sample\n",
		"/lib/apk/packages/sample.conffiles_static": static,
	} {
		if got[path] != want {
			t.Errorf("%s is %q, want %q", path, got[path], want)
		}
	}
}

func TestScripts(t *testing.T) {
	r := open(t, packagestest.Reproducible(t, writer(nil)))
	scripts := r.field(r.root(), 3)
	for n, want := range map[int]string{
		3: "pkgname=sample\nadd_group_and_user\ndefault_postinst\n: installed\n", 4: "pkgname=sample\n: removing\ndefault_prerm\n",
		5: "pkgname=sample\n: removed\n", 7: "pkgname=sample PKG_UPGRADE=1\nadd_group_and_user\ndefault_postinst\n: installed\n",
	} {
		if got := r.text(r.field(scripts, n)); !strings.HasPrefix(got, "#!/bin/sh\n") || !strings.HasSuffix(got, want) {
			t.Errorf("script %d is %q, want it to end with %q", n, got, want)
		}
	}
}

// newKey returns a key as OpenSSL writes it, and its public half.
func newKey(t *testing.T) (*adb.Key, *ecdsa.PublicKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := append([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})...)
	key, err := adb.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key, &private.PublicKey
}

func TestSignature(t *testing.T) {
	key, public := newKey(t)
	checkSignature(t, open(t, packagestest.Reproducible(t, writer(key))), public)
}

func checkSignature(t *testing.T, r *read, public *ecdsa.PublicKey) {
	t.Helper()
	if len(r.sigs) != 1 {
		t.Fatalf("%d signatures, want 1", len(r.sigs))
	}
	const head = 18 // version, algorithm and the key's id
	sig := r.sigs[0]
	point, err := public.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	id, sum := sha512.Sum512(point), sha512.Sum512(r.tree)
	if sig[0] != 0 || sig[1] != 4 || !bytes.Equal(sig[2:head], id[:16]) {
		t.Errorf("the signature begins with % x", sig[:head])
	}
	digest := sha512.Sum512(append(append([]byte(r.schema), sig[:head]...), sum[:]...))
	if !ecdsa.VerifyASN1(public, digest[:], sig[head:]) {
		t.Error("the signature is none of this tree")
	}
}

func TestIndex(t *testing.T) {
	key, public := newKey(t)
	var list []*apk.Built
	var files []*bytes.Buffer
	for _, name := range []string{"zebra", "aardvark"} {
		p := packagestest.Sample()
		p.Name = name
		var b bytes.Buffer
		built, err := apk.Write(&b, p, key)
		if err != nil {
			t.Fatal(err)
		}
		list, files = append(list, built), append(files, &b)
	}
	var b bytes.Buffer
	if err := apk.WriteIndex(&b, list, key); err != nil {
		t.Fatal(err)
	}
	r := open(t, b.Bytes())
	if r.schema != "indx" {
		t.Errorf("schema %q", r.schema)
	}
	checkSignature(t, r, public)
	items := r.slots(r.field(r.root(), 2))[1:]
	if len(items) != 2 || r.text(r.field(items[0], 1)) != "aardvark" {
		t.Fatalf("%d packages, the first is %s: readers want them sorted", len(items), r.text(r.field(items[0], 1)))
	}
	size := len(files[1].Bytes())
	sum := sha256.Sum256(open(t, files[1].Bytes()).tree)
	if r.text(r.field(items[0], 3)) != string(sum[:]) || r.number(r.field(items[0], 13)) != uint64(size) {
		t.Error("the index has another hash or size than the package")
	}
}
