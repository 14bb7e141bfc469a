package e2e

import (
	"encoding/xml"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// decodePlist returns what an XML property list says: dictionaries as maps, arrays as slices, strings, integers and booleans. It knows
// the rules of Apple's PropertyList-1.0.dtd and, for dictionaries, those by which plutil lints: keys and values by turns, no key twice.
func decodePlist(text string) (any, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	e, err := nextElement(d)
	if err != nil || e.Name.Local != "plist" {
		return nil, fmt.Errorf("no plist: %v, %w", e, err)
	}
	if e, err = nextElement(d); err != nil {
		return nil, err
	}
	return plistValue(d, e)
}

var errEnd = errors.New("the element ends")

// nextElement returns the next element that begins; errEnd where the one around it ends first.
func nextElement(d *xml.Decoder) (xml.StartElement, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			return e, nil
		case xml.EndElement:
			return xml.StartElement{}, errEnd
		case xml.CharData:
			if strings.TrimSpace(string(e)) != "" {
				return xml.StartElement{}, fmt.Errorf("text %q between elements", e)
			}
		}
	}
}

func plistValue(d *xml.Decoder, e xml.StartElement) (any, error) {
	switch e.Name.Local {
	case "dict":
		return plistDict(d)
	case "array":
		var all []any
		for {
			e, err := nextElement(d)
			if errors.Is(err, errEnd) {
				return all, nil
			}
			if err != nil {
				return nil, err
			}
			v, err := plistValue(d, e)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
	}
	var text string
	if err := d.DecodeElement(&text, &e); err != nil {
		return nil, err
	}
	switch e.Name.Local {
	case "string":
		return text, nil
	case "integer":
		return strconv.Atoi(text)
	case "true", "false":
		return e.Name.Local == "true", nil
	}
	return nil, fmt.Errorf("there is no value %s", e.Name.Local)
}

func plistDict(d *xml.Decoder) (any, error) {
	dict := map[string]any{}
	for {
		e, err := nextElement(d)
		if errors.Is(err, errEnd) {
			return dict, nil
		}
		if err != nil || e.Name.Local != "key" {
			return nil, fmt.Errorf("a key has to come, not %s: %w", e.Name.Local, err)
		}
		var key string
		if err := d.DecodeElement(&key, &e); err != nil {
			return nil, err
		}
		if _, twice := dict[key]; twice {
			return nil, fmt.Errorf("key %s comes twice", key)
		}
		if e, err = nextElement(d); err != nil {
			return nil, fmt.Errorf("key %s has no value: %w", key, err)
		}
		if dict[key], err = plistValue(d, e); err != nil {
			return nil, err
		}
	}
}

func TestDecodePlist(t *testing.T) {
	for text, want := range map[string]any{
		"<plist><dict><key>a</key><array><true/><integer>7</integer></array></dict></plist>": map[string]any{"a": []any{true, 7}},
		"<plist><dict><key>a</key></dict></plist>":                                           nil,
		"<plist><dict><key>a</key><key>b</key></dict></plist>":                               nil,
		"<plist><dict><true/></dict></plist>":                                                nil,
		"<plist><dict><key>a</key><true/><key>a</key><true/></dict></plist>":                 nil,
		"<plist><dict><key>a</key><integer>x</integer></dict></plist>":                       nil,
		"<plist><dict>text</dict></plist>":                                                   nil,
		"<plist><dict>":                                                                      nil,
		"<dict/>":                                                                            nil,
	} {
		if got, err := decodePlist(text); (err != nil) != (want == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
}

// TestServicesOfMacOS asserts that launchd gets what launchd.plist(5) knows, from files whose heads say how to put them in place: the
// program undisturbed by throttling, started again after a failure only, with its log where a user looks for one.
func TestServicesOfMacOS(t *testing.T) {
	const log = "/Users/anna/Library/Logs/exo-bench-exporter.log"
	common := map[string]any{
		"Label": "exo-bench-exporter", "ProgramArguments": []any{"/usr/local/bin/exo-bench-exporter"},
		"RunAtLoad": true, "KeepAlive": map[string]any{"SuccessfulExit": false}, "ThrottleInterval": 10, "ExitTimeOut": 10,
		"ProcessType": "Interactive", "LegacyTimers": true, "StandardOutPath": log, "StandardErrorPath": log,
	}
	const exo = "http://localhost:52415"
	for kind, own := range map[string]map[string]any{
		"agent":  {"EnvironmentVariables": map[string]any{"EXOBENCH_EXO_URL": exo}},
		"daemon": {"EnvironmentVariables": map[string]any{"EXOBENCH_EXO_URL": exo, "HOME": "/Users/anna"}, "UserName": "anna"},
	} {
		path := filepath.Join("release", "macos", kind, "exo-bench-exporter.plist") // launchd wants it called by its label
		text := readFile(t, path)
		fill := map[string][]string{
			"agent":  {"/Users/USERNAME", "/Users/anna"},
			"daemon": {"/Users/USERNAME", "/Users/anna", "USERNAME", "anna"},
		}[kind]
		_, list, _ := strings.Cut(text, "-->")
		list = strings.NewReplacer(fill...).Replace(list)
		got, err := decodePlist(list)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for key, value := range common {
			own[key] = value
		}
		if !reflect.DeepEqual(got, any(own)) {
			t.Errorf("%s says\n%v\nwant\n%v", path, got, own)
		}
		if _, err := decodePlist(text); err != nil {
			t.Errorf("%s with its head: %v", path, err)
		}
		// What the head says is what docs/use.md says.
		for _, line := range strings.Split(text, "\n") {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "sed ") && !strings.Contains(readFile(t, "docs/use.md"), line) {
				t.Errorf("docs/use.md does not say %s", line)
			}
		}
	}
}
