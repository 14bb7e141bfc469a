package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/template"
)

func completionCommand() command {
	return command{
		name: "completion", args: " bash|zsh|fish", summary: "print what completes commands and flags in a shell", operands: true,
		help: `Prints a script for a shell, by which it completes commands and flags:

  source <(exo-bench-exporter completion bash)`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			return func(_ context.Context, inv invocation) int {
				if script, ok := completions[fs.Arg(0)]; ok && fs.NArg() == 1 {
					return printed(inv, fill(script))
				}
				fmt.Fprintf(inv.stderr, "exo-bench-exporter completion: want bash, zsh or fish; see %s -h\n", fs.Name())
				return exitUsage
			}
		},
	}
}

func manCommand() command {
	return command{
		name: "man", summary: "print the manual page",
		help: `Prints the manual page: exo-bench-exporter man | man -l -`,
		flags: func(*flag.FlagSet) func(context.Context, invocation) int {
			return func(_ context.Context, inv invocation) int { return printed(inv, fill(manual)) }
		},
	}
}

func printed(inv invocation, text []byte) int {
	if _, err := inv.stdout.Write(text); err != nil {
		return cannotPrint(inv, err)
	}
	return exitOK
}

// described is a command as completions and the manual page have it.
type described struct {
	Name, Args, Summary string
	Help                []string // paragraphs and blocks
	Flags               []describedFlag
}

type describedFlag struct{ Name, Value, Usage string }

func describe(c command) described {
	d := described{Name: c.name, Args: c.args, Summary: c.summary, Help: strings.Split(strings.TrimSpace(c.help), "\n\n")}
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.flags(fs)
	fs.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		d.Flags = append(d.Flags, describedFlag{f.Name, value, usage})
	})
	return d
}

// fill executes a template of all commands.
func fill(t *template.Template) []byte {
	var all []described
	for _, c := range commands() {
		all = append(all, describe(c))
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"Commands": all[1:], "Serve": all[0]}); err != nil {
		panic("a template that is compiled in cannot be executed: " + err.Error())
	}
	return b.Bytes()
}

func script(name, text string) *template.Template {
	return template.Must(template.New(name).Funcs(template.FuncMap{
		"roff": roff, "sh": func(s string) string {
			return strings.NewReplacer("'", "", "`", "", "[", "(", "]", ")", ":", ",").Replace(s)
		},
	}).Parse(text))
}

// roff returns text as troff takes it literally.
func roff(s string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)) {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			_, _ = io.WriteString(&b, `\&`)
		}
		_, _ = io.WriteString(&b, line)
	}
	return b.String()
}

var completions = map[string]*template.Template{
	"bash": script("bash", `_exo_bench_exporter() {
  local word=${COMP_WORDS[COMP_CWORD]} flags
  case ${COMP_WORDS[1]} in
{{- range .Commands}}
  {{.Name}}) flags='{{range .Flags}}-{{.Name}} {{end}}-h' ;;
{{- end}}
  *) flags='{{range .Serve.Flags}}-{{.Name}} {{end}}-h' ;;
  esac
  if [[ $COMP_CWORD -eq 1 && $word != -* ]] || [[ $COMP_CWORD -eq 2 && ${COMP_WORDS[1]} == help ]]; then
    COMPREPLY=($(compgen -W 'help{{range .Commands}} {{.Name}}{{end}}' -- "$word"))
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -F _exo_bench_exporter exo-bench-exporter
`),
	"zsh": script("zsh", `#compdef exo-bench-exporter
_exo_bench_exporter() {
  if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
    local -a all=('help:what there is'{{range .Commands}} '{{.Name}}:{{sh .Summary}}'{{end}})
    _describe command all
    return
  fi
  case $words[2] in
{{- range .Commands}}
  {{.Name}}) _arguments '*:file:_files'{{range .Flags}} '-{{.Name}}[{{sh .Usage}}]{{with .Value}}:{{sh .}}:{{end}}'{{end}} ;;
{{- end}}
  *) _arguments{{range .Serve.Flags}} '-{{.Name}}[{{sh .Usage}}]'{{end}} ;;
  esac
}
compdef _exo_bench_exporter exo-bench-exporter
`),
	"fish": script("fish", `complete -c exo-bench-exporter -n __fish_use_subcommand -a help -d 'what there is'
{{- range .Serve.Flags}}
complete -c exo-bench-exporter -n __fish_use_subcommand -o {{.Name}} -d '{{sh .Usage}}'
{{- end}}
{{- range $c := .Commands}}
complete -c exo-bench-exporter -n __fish_use_subcommand -a {{.Name}} -d '{{sh .Summary}}'
{{- range .Flags}}
complete -c exo-bench-exporter -n '__fish_seen_subcommand_from {{$c.Name}}' -o {{.Name}} -d '{{sh .Usage}}'{{if .Value}} -r{{end}}
{{- end}}
{{- end}}
`),
}

var manual = script("man", `.TH EXO\-BENCH\-EXPORTER 1
.SH NAME
exo\-bench\-exporter \- benchmark the language models of an exo node for Prometheus
.SH SYNOPSIS
.B exo\-bench\-exporter
{{roff .Serve.Args}}
.SH DESCRIPTION
{{- range .Serve.Help}}
.PP
{{roff .}}
{{- end}}
{{- template "flags" .Serve.Flags}}
.SH COMMANDS
{{- range .Commands}}
.SS exo\-bench\-exporter {{roff .Name}}{{roff .Args}}
{{- range .Help}}
.PP
{{roff .}}
{{- end}}
{{- template "flags" .Flags}}
{{- end}}
.SH ENVIRONMENT
Variables and their defaults are printed by
.BR "exo\-bench\-exporter \-h" .
.SH EXIT STATUS
0 all well, 1 something measured or checked is not, 2 wrong usage or configuration, 130 once was stopped.
{{define "flags"}}
{{- range .}}
.TP
.B \-{{roff .Name}}{{with .Value}} \fI{{roff .}}\fR{{end}}
{{roff .Usage}}
{{- end}}
{{- end}}`)
