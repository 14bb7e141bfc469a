package exporter

import (
	"fmt"
	"reflect"
	"strings"

	"exo-bench-exporter/workload"
)

// Variable describes one variable of the configuration.
type Variable struct {
	Name    string // with prefix
	Default string // value that applies when it is not set; empty where none does
	Shown   string // what Default is, in words, where it is no value
	Mode    Mode   // the only mode in which it has a meaning; empty for any
	Meaning string
}

// Variables returns every variable of the configuration in the order of Config.
func Variables() []Variable {
	var vars []Variable
	for field := range reflect.TypeFor[Config]().Fields() {
		vars = append(vars, Variable{
			Name:    EnvPrefix + field.Tag.Get("env"),
			Default: field.Tag.Get("envDefault"),
			Shown:   field.Tag.Get("shown"),
			Mode:    Mode(field.Tag.Get("mode")),
			Meaning: strings.ReplaceAll(field.Tag.Get("meaning"), "{dialects}", workload.DialectWords()),
		})
	}
	return vars
}

// ConfigTable returns the variables as the Markdown table that docs/commands.md holds.
func ConfigTable() string {
	var b strings.Builder
	b.WriteString("| variable | default | mode | meaning |\n| --- | --- | --- | --- |\n")
	for _, v := range Variables() {
		shown := v.Shown
		if v.Default != "" {
			shown = "`" + v.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", v.Name, shown, v.Mode, v.Meaning)
	}
	return b.String()
}

// ConfigHelp returns the variables as text for a terminal, each indented by two.
func ConfigHelp() string {
	var b strings.Builder
	for _, v := range Variables() {
		b.WriteString("  " + v.Name)
		if def := v.Default + v.Shown; def != "" {
			b.WriteString(" (default: " + def + ")")
		}
		if v.Mode != "" {
			b.WriteString(" [mode " + string(v.Mode) + "]")
		}
		b.WriteString("\n        " + v.Meaning + "\n")
	}
	return b.String()
}
