package exporter

import (
	"path/filepath"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"

	"exo-bench-exporter/workload/regular"
)

// readWebConfig returns what the web configuration at path says, as far as it can be read. The
// toolkit, which is asked afterwards, says better what is wrong with it.
func readWebConfig(path string) (web.Config, error) {
	var c web.Config
	content, err := readSmall(path)
	if err == nil {
		_ = yaml.Unmarshal(content, &c)
		c.TLSConfig.SetDirectory(filepath.Dir(path))
	}
	return c, err
}

// validWebConfig returns what is wrong with the web configuration at path; "" is none and valid. The
// toolkit reads every file that it names to the end: they are looked at first.
func validWebConfig(path string) error {
	if path == "" {
		return nil
	}
	c, err := readWebConfig(path)
	if err != nil {
		return err
	}
	for _, named := range []string{c.TLSConfig.TLSCertPath, c.TLSConfig.TLSKeyPath, c.TLSConfig.ClientCAs} {
		if named == "" {
			continue
		}
		if err := regular.Check(named); err != nil {
			return err
		}
	}
	return web.Validate(path)
}

// Guarded reports whether the web configuration at path asks for TLS or a password.
func Guarded(path string) bool {
	c, err := readWebConfig(path)
	return err == nil && (c.TLSConfig.IsEnabled() || len(c.Users) > 0)
}
