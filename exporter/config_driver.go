package exporter

import (
	"crypto/x509"
	"errors"
	"strings"
	"unicode"
)

// driver completes and checks how the exporter that measures is reached.
func (p *problems) driver(c *Config) {
	c.DriverURL = strings.TrimRight(c.DriverURL, "/")
	switch {
	case c.DriverURL != "":
		p.url("DRIVER_URL", c.DriverURL, "http://mac-1:9955", "give them in EXOBENCH_DRIVER_USER and EXOBENCH_DRIVER_PASSWORD_FILE")
	case c.Mode == ModeMemory:
		p.add("DRIVER_URL", "want the URL of the exporter that measures, such as http://mac-1:9955: with EXOBENCH_MODE=memory it is required")
	}
	if strings.ContainsRune(c.DriverUser, ':') || strings.ContainsFunc(c.DriverUser, unicode.IsControl) {
		p.add("DRIVER_USER", "want a name without colon and control characters")
	}
	p.secretFile("DRIVER_PASSWORD", c.DriverPasswordFile, &c.DriverPassword)
	switch {
	case c.DriverUser == "" && c.DriverPassword != "" && c.DriverPasswordFile != "":
		p.add("DRIVER_PASSWORD_FILE", "want EXOBENCH_DRIVER_USER beside it: the password is that of a user")
	case c.DriverUser == "" && c.DriverPassword != "":
		p.add("DRIVER_PASSWORD", "want EXOBENCH_DRIVER_USER beside it: the password is that of a user")
	case c.DriverUser != "" && c.DriverPassword == "" && c.DriverPasswordFile == "":
		p.add("DRIVER_USER", "want EXOBENCH_DRIVER_PASSWORD_FILE or EXOBENCH_DRIVER_PASSWORD beside it")
	}
	if c.DriverCAFile != "" {
		if _, err := c.DriverRoots(); err != nil {
			p.add("DRIVER_CA_FILE", err.Error())
		}
	}
}

// DriverRoots returns the certificates that DriverCAFile holds; nil when it is not set.
func (c Config) DriverRoots() (*x509.CertPool, error) { return roots(c.DriverCAFile) }

// ExoRoots returns the certificates that ExoCAFile holds; nil when it is not set.
func (c Config) ExoRoots() (*x509.CertPool, error) { return roots(c.ExoCAFile) }

func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	content, err := readSmall(file)
	if err != nil {
		return nil, errors.New("want a file that can be read: " + err.Error())
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return nil, errors.New("want a file with certificates in PEM form: it holds none")
	}
	return roots, nil
}

// foreign records the variables that are set and have no meaning in mode.
func (p *problems) foreign(mode Mode) {
	if mode != ModeMemory {
		mode = ModeBench // also where the mode is wrong
	}
	for _, v := range Variables() {
		name := strings.TrimPrefix(v.Name, EnvPrefix)
		if v.Mode == "" || v.Mode == mode || p.environ[v.Name] == "" {
			continue
		}
		if name == "STATE_DIR" {
			continue // the container image sets it, whatever the mode
		}
		if mode == ModeMemory {
			p.add(name, "want it unset: with EXOBENCH_MODE=memory the exporter at EXOBENCH_DRIVER_URL decides")
		} else {
			p.add(name, "want it only with EXOBENCH_MODE=memory")
		}
	}
}
