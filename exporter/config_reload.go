package exporter

import "reflect"

// CanBecome returns nil when a program that runs with c can go on with next, else a *ConfigError
// that names every variable for which it has to be started anew: those whose field has the tag
// reload:"no".
func (c Config) CanBecome(next Config) error {
	p := problems{environ: map[string]string{}}
	was, is := reflect.ValueOf(c), reflect.ValueOf(next)
	for field := range was.Type().Fields() {
		if field.Tag.Get("reload") != "no" || was.FieldByIndex(field.Index).Interface() == is.FieldByIndex(field.Index).Interface() {
			continue
		}
		p.add(field.Tag.Get("env"), "it cannot be changed while the exporter runs: restart it for that, or leave it as it was")
	}
	if len(p.found) > 0 {
		return &ConfigError{Problems: p.found}
	}
	return nil
}
