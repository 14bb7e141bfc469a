package exporter

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/go-envparse"
)

// envFile is the variable that names a file with more variables.
const envFile = EnvPrefix + "ENV_FILE"

// Environ returns environ with what the file that EXOBENCH_ENV_FILE names says of our variables,
// which wins: a service manager may have put the same file's old content into the environment.
// Other variables in it are left alone. The error is a *ConfigError.
func Environ(environ map[string]string) (map[string]string, error) {
	path := environ[envFile]
	if path == "" {
		return environ, nil
	}
	read, err := readEnvFile(path)
	if err != nil {
		return nil, &ConfigError{Problems: []Problem{{Variable: envFile, Value: quote(path), Message: err.Error()}}}
	}
	all := maps.Clone(environ)
	for name, value := range read {
		if strings.HasPrefix(name, EnvPrefix) {
			all[name] = value
		}
	}
	return all, nil
}

func readEnvFile(path string) (map[string]string, error) {
	content, err := readSmall(path)
	if err != nil {
		return nil, errors.New("want a file that can be read: " + err.Error())
	}
	read, err := envparse.Parse(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("want a variable a line, as NAME=value: %w", err)
	}
	if _, nested := read[envFile]; nested {
		return nil, errors.New("want it in the environment only, and not in the file itself")
	}
	return read, nil
}
