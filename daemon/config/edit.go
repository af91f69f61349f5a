package config

import (
	"fmt"
	"slices"

	"ginnel/network"
	"ginnel/platform/uci"
)

// Set returns text with n's section in it: a new one at the end, or the
// existing one brought up to date. Options that already say what n says are
// left as they are written, other options and sections are not touched, and
// defaults are not written, but what an invitation says is. The result is a
// configuration that Parse accepts; an error says why it would not be one, or why
// text is not.
func Set(name string, text []byte, n Network) ([]byte, error) {
	if err := network.CheckNetworkName(n.Name); err != nil {
		return nil, err
	}
	f, err := uci.Parse(name, text)
	if err != nil {
		return nil, err
	}
	section := sectionName(n.Name)
	if _, ok := f.Section(section); !ok {
		if err := f.AddSection(sectionType, section); err != nil {
			return nil, err
		}
	}
	for i := range options {
		if err := options[i].set(f, section, &n); err != nil {
			return nil, err
		}
	}
	if err := check(name, f.Bytes(), &n); err != nil {
		return nil, fmt.Errorf("network %s is not written: %w", n.Name, err)
	}
	return f.Bytes(), nil
}

// set makes the option in the file say what n says.
func (o *option) set(f *uci.File, section string, n *Network) error {
	s, _ := f.Section(section)
	written, present := s.Option(o.name)
	have, want := New(n.Name, n.Role), o.write(n)
	said := present && readOption(&have, written) == nil && slices.Equal(o.write(&have), want)
	switch {
	case !present && len(want) == 0:
		return nil
	case len(want) == 0 && (o.list || !said): // a list without values here is the other role's
		return f.Unset(section, o.name)
	case said:
		return nil
	case o.list:
		return f.SetList(section, o.name, want)
	}
	return f.Set(section, o.name, want[0])
}

// check tells whether text is a configuration that says what n says.
func check(name string, text []byte, n *Network) error {
	c, err := Parse(name, text)
	if err != nil {
		return err
	}
	if got, ok := c.Network(n.Name); !ok || !got.Equal(n) {
		return fmt.Errorf("%s: these values cannot be written: %+v", name, *n)
	}
	return nil
}

// Remove returns text without the network's section; without such a section
// text itself. The rest of the file need not be valid, as long as it is UCI.
func Remove(name string, text []byte, network string) ([]byte, error) {
	f, err := uci.Parse(name, text)
	if err != nil {
		return nil, err
	}
	section := sectionName(network)
	if s, ok := f.Section(section); !ok || s.Type != sectionType {
		return text, nil
	}
	if err := f.RemoveSection(section); err != nil {
		return nil, err
	}
	return f.Bytes(), nil
}

// CheckOptions tells which option of n has a value that the configuration
// cannot hold, and why; an empty option: none. It is for those who take the
// values from elsewhere and know them by other names.
func CheckOptions(n *Network) (option string, err error) {
	for i := range options {
		o := &options[i]
		values := o.write(n)
		if len(values) == 0 {
			continue
		}
		read := New(n.Name, n.Role)
		if err := o.read(&read, values); err != nil {
			return o.name, err
		}
	}
	return "", nil
}
