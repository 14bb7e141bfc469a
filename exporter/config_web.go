package exporter

import (
	"path/filepath"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"

	"exo-bench-exporter/workload/regular"
)

// webFile is what is looked at of a web configuration beside the toolkit.
type webFile struct {
	TLS   map[string]any `yaml:"tls_server_config"`
	Users map[string]any `yaml:"basic_auth_users"`
}

func readWebFile(path string) (webFile, error) {
	var f webFile
	content, err := readSmall(path)
	if err != nil {
		return f, err
	}
	_ = yaml.Unmarshal(content, &f) // the toolkit says better what is wrong
	return f, nil
}

// validWebConfig returns what is wrong with the web configuration at path; "" is none and valid. The
// toolkit reads every file that it names to the end: they are looked at first.
func validWebConfig(path string) error {
	if path == "" {
		return nil
	}
	f, err := readWebFile(path)
	if err != nil {
		return err
	}
	for _, name := range []string{"cert_file", "key_file", "client_ca_file"} {
		named, _ := f.TLS[name].(string)
		if named == "" {
			continue
		}
		if !filepath.IsAbs(named) {
			named = filepath.Join(filepath.Dir(path), named) // as the toolkit has it
		}
		if err := regular.Check(named); err != nil {
			return err
		}
	}
	return web.Validate(path)
}

// Guarded reports whether the web configuration at path asks for TLS or a password.
func Guarded(path string) bool {
	f, err := readWebFile(path)
	return err == nil && len(f.TLS)+len(f.Users) > 0
}
