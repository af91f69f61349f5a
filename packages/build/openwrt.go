package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"

	"ginnel/packages"
	"ginnel/packages/apk"
	"ginnel/packages/ipk"
)

// architecture is one of OpenWrt's, and the target whose binary runs there.
type architecture struct{ name, target string }

// architectures are those that packages are built for. There are more that the
// same binaries fit: a line makes a package.
var architectures = []architecture{
	{"mips_24kc", "mips"},
	{"mips_mips32", "mips"},
	{"mipsel_24kc", "mipsle"},
	{"mipsel_74kc", "mipsle"},
	{"mipsel_mips32", "mipsle"},
	{"mips64_octeonplus", "mips64"},
	{"mips64_mips64r2", "mips64"},
	{"mips64el_mips64r2", "mips64le"},
	{"arm_arm926ej-s", "armv5"},
	{"arm_xscale", "armv5"},
	{"arm_arm1176jzf-s_vfp", "armv6"},
	{"arm_cortex-a5_vfpv4", "armv7"},
	{"arm_cortex-a7", "armv5"},
	{"arm_cortex-a7_neon-vfpv4", "armv7"},
	{"arm_cortex-a7_vfpv4", "armv7"},
	{"arm_cortex-a8_vfpv3", "armv7"},
	{"arm_cortex-a9", "armv5"},
	{"arm_cortex-a9_neon", "armv7"},
	{"arm_cortex-a9_vfpv3-d16", "armv7"},
	{"arm_cortex-a15_neon-vfpv4", "armv7"},
	{"aarch64_generic", "arm64"},
	{"aarch64_cortex-a53", "arm64"},
	{"aarch64_cortex-a72", "arm64"},
	{"aarch64_cortex-a76", "arm64"},
	{"i386_pentium-mmx", "386"},
	{"i386_pentium4", "386"},
	{"riscv64_generic", "riscv64"},
	{"x86_64", "amd64"},
}

// removing takes the tunnels and names off a router that is to do without the
// package. An upgrade keeps them: traffic goes on meanwhile. (Within an image
// that is being built there are none.) What goes wrong, as it does with a bad
// configuration or half a program, is told and no more: opkg would not let go
// of the package, whose service it has disabled by then.
const removing = `if [ "$PKG_UPGRADE" != 1 ] && [ -z "$IPKG_INSTROOT" ]; then
	/etc/init.d/ginnel stop
	/usr/bin/ginnel clear || echo "ginnel: interfaces and names may be left until the next boot" >&2
fi
`

// openwrt builds the packages for OpenWrt, in a folder for each architecture.
func (j *job) openwrt() error {
	common := j.about
	common.User = "ginnel"
	common.Depends = []string{"kmod-wireguard"}
	common.Scripts.PreRemove = removing
	for _, f := range []struct {
		source, path string
		mode         uint32
		config       bool
	}{
		{"rc.d/ginnel", "/etc/init.d/ginnel", 0o755, false},
		{"openwrt/files/ginnel.config", "/etc/config/ginnel", 0o644, true},
		{"openwrt/files/ginnel.keep", "/lib/upgrade/keep.d/ginnel", 0o644, false},
		{"openwrt/files/capabilities.json", "/etc/capabilities/ginnel.json", 0o644, false},
	} {
		file, err := j.file(f.source, f.path, f.mode)
		if err != nil {
			return err
		}
		file.Config = f.config
		common.Files = append(common.Files, file)
	}
	for _, a := range architectures {
		if !j.wants(a.target) {
			continue
		}
		if err := j.openwrtFor(a, common); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) openwrtFor(a architecture, p packages.Package) error {
	binary, err := j.file("bin/openwrt/ginnel-"+a.target, "/usr/bin/ginnel", 0o755)
	if err != nil {
		return err
	}
	p.Architecture = a.name
	p.Files = append([]packages.File{binary}, p.Files...)
	return errors.Join(j.writeIPK(filepath.Join(j.out, "opkg", a.name), &p), j.writeAPK(filepath.Join(j.out, "apk", a.name), &p))
}

func (j *job) writeIPK(dir string, p *packages.Package) error {
	var file, index bytes.Buffer
	built, err := ipk.Write(&file, p, j.packer.gzip)
	if err != nil {
		return err
	}
	if err := ipk.WriteIndex(&index, []*ipk.Built{built}); err != nil {
		return err
	}
	zipped, err := ipk.Compress(index.Bytes())
	if err != nil {
		return err
	}
	return write(dir, map[string][]byte{ipk.FileName(p): file.Bytes(), "Packages": index.Bytes(), "Packages.gz": zipped})
}

func (j *job) writeAPK(dir string, p *packages.Package) error {
	var file, index bytes.Buffer
	built, err := apk.Write(&file, p, j.key)
	if err != nil {
		return err
	}
	if err := apk.WriteIndex(&index, []*apk.Built{built}, j.key); err != nil {
		return err
	}
	return write(dir, map[string][]byte{apk.FileName(p): file.Bytes(), "packages.adb": index.Bytes()})
}

func write(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
