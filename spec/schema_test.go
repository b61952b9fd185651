package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func testSchema(t *testing.T) map[string]any {
	t.Helper()
	text, err := Schema(testVocabulary)
	if err != nil {
		t.Fatal(err)
	}
	s := map[string]any{}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaTakesSamples validates the good documents.
func TestSchemaTakesSamples(t *testing.T) {
	s := testSchema(t)
	for _, name := range []string{"design.yaml", "everything.yaml", "routes.json", "anchors.yaml", "nothing.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata/good", name))
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		unmarshal := json.Unmarshal
		if filepath.Ext(name) != ".json" {
			unmarshal = func(b []byte, v any) error { return yaml.Unmarshal(b, v) }
		}
		if err := unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		if err := validate(s, s, doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := testSchema(t)
	for _, text := range []string{
		`{version: 2}`, `{version: 1, linsk: {}}`, `{version: 1, links: {a: {mtuu: 1}}}`, `{version: 1, links: {a: {mtu: -1}}}`,
		`{version: 1, links: {a: {kind: dumy}}}`, `{version: 1, links: {a: {vxlan: {idd: 1}}}}`, `{version: 1, routes: [{via: 192.0.2.1}]}`,
		`{version: 1, rules: [{priority: 1, sport: a}]}`, `{version: 1, namespaces: {red: {owner: x}}}`, `{version: 1, prune: {link: all}}`,
		`{version: 1, routes: [{to: default, nhid: 5}]}`,
	} {
		var doc any
		if err := yaml.Unmarshal([]byte(text), &doc); err == nil && validate(s, s, doc) == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

// TestSchemaKeys compares the keys that the schema has with those that are loaded.
func TestSchemaKeys(t *testing.T) {
	defs := testSchema(t)["$defs"].(map[string]any)
	same := func(what string, s any, want ...string) {
		t.Helper()
		got := slices.Sorted(maps.Keys(s.(map[string]any)["properties"].(map[string]any)))
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the schema has %v, the loader %v", what, got, want)
		}
	}
	keys := func(index map[string]int) []string { return slices.Collect(maps.Keys(index)) }
	d := decoder{vocab: remember(testVocabulary)}
	same("document", testSchema(t), keys(documentObject.index)...)
	same("namespace", defs["namespace"], keys(namespaceObject.index)...)
	same("link", defs["link"], append(keys(linkObject.index), d.sectionNames()...)...)
	namespace := defs["namespace"].(map[string]any)["properties"].(map[string]any)
	for list, index := range map[string]map[string]int{"routes": routeObject.index, "rules": ruleObject.index, "neighbors": neighborObject.index} {
		same(list, namespace[list].(map[string]any)["items"], keys(index)...)
	}
	for name, section := range testVocabulary {
		same(name, defs["link"].(map[string]any)["properties"].(map[string]any)[name], section.Keys()...)
	}
	if testSchema(t)["description"] == "" {
		t.Error("no description")
	}
}

// TestSchemaDescribes looks for keys without a word about them.
func TestSchemaDescribes(t *testing.T) {
	var walk func(path string, s any)
	walk = func(path string, s any) {
		m, ok := s.(map[string]any)
		if !ok {
			return
		}
		properties, _ := m["properties"].(map[string]any)
		for name, p := range properties {
			_, isSection := testVocabulary[name]
			if _, inSection := testVocabulary[path[strings.LastIndexByte(path, '.')+1:]]; !isSection && !inSection && p.(map[string]any)["description"] == "" {
				t.Errorf("%s.%s has no description", path, name)
			}
			walk(path+"."+name, p)
		}
		walk(path+"[]", m["items"])
	}
	s := testSchema(t)
	walk("", s)
	for name, def := range s["$defs"].(map[string]any) {
		walk(name, def)
	}
}

// validate knows as much of JSON Schema as the schema uses.
func validate(root, s map[string]any, v any) error {
	for word, arg := range s {
		if err := keyword(root, s, word, arg, v); err != nil {
			return fmt.Errorf("%v: %w", v, err)
		}
	}
	return nil
}

func keyword(root, s map[string]any, word string, arg, v any) error {
	object, isObject := v.(map[string]any)
	number, isNumber := v.(float64)
	text, isText := v.(string)
	list, _ := v.([]any)
	switch word {
	case "$ref":
		name := strings.TrimPrefix(arg.(string), "#/$defs/")
		return validate(root, root["$defs"].(map[string]any)[name].(map[string]any), v)
	case "type":
		return validType(arg, v)
	case "enum":
		if !slices.ContainsFunc(arg.([]any), func(e any) bool { return reflect.DeepEqual(e, v) }) {
			return fmt.Errorf("want one of %v", arg)
		}
	case "const":
		if !reflect.DeepEqual(arg, v) {
			return fmt.Errorf("want %v", arg)
		}
	case "anyOf":
		if !slices.ContainsFunc(arg.([]any), func(e any) bool { return validate(root, e.(map[string]any), v) == nil }) {
			return fmt.Errorf("want any of %v", arg)
		}
	case "minimum":
		if isNumber && number < arg.(float64) {
			return fmt.Errorf("want at least %v", arg)
		}
	case "maximum":
		if isNumber && number > arg.(float64) {
			return fmt.Errorf("want at most %v", arg)
		}
	case "minLength":
		if isText && float64(len(text)) < arg.(float64) {
			return fmt.Errorf("want %v bytes", arg)
		}
	case "pattern":
		if isText && !regexp.MustCompile(arg.(string)).MatchString(text) {
			return fmt.Errorf("want %v", arg)
		}
	case "items":
		for _, e := range list {
			if err := validate(root, arg.(map[string]any), e); err != nil {
				return err
			}
		}
	case "required":
		for _, name := range arg.([]any) {
			if _, ok := object[name.(string)]; isObject && !ok {
				return fmt.Errorf("want %v", name)
			}
		}
	case "propertyNames":
		for name := range object {
			if err := validate(root, arg.(map[string]any), name); err != nil {
				return err
			}
		}
	case "properties", "additionalProperties":
		return validProperties(root, s, word, arg, object)
	case "$schema", "$defs", "title", "description", "default":
	default:
		return fmt.Errorf("the test knows no %s", word)
	}
	return nil
}

func validType(arg, v any) error {
	names, ok := arg.([]any)
	if !ok {
		names = []any{arg}
	}
	is := map[string]bool{"null": v == nil}
	switch v := v.(type) {
	case map[string]any:
		is["object"] = true
	case []any:
		is["array"] = true
	case string:
		is["string"] = true
	case bool:
		is["boolean"] = true
	case float64:
		is["number"], is["integer"] = true, v == float64(int64(v))
	}
	if !slices.ContainsFunc(names, func(n any) bool { return is[n.(string)] }) {
		return fmt.Errorf("want %v", arg)
	}
	return nil
}

func validProperties(root, s map[string]any, word string, arg any, object map[string]any) error {
	known, _ := s["properties"].(map[string]any)
	for name, v := range object {
		p, ok := known[name].(map[string]any)
		switch {
		case word == "properties" && !ok, word == "additionalProperties" && ok:
			continue
		case word == "additionalProperties":
			if p, ok = arg.(map[string]any); !ok {
				return fmt.Errorf("unknown %s", name)
			}
		}
		if err := validate(root, p, v); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
