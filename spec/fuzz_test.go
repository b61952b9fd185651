package spec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

// FuzzLoad loads anything: it never panics, its errors have places, and what it
// takes is the same after it was written and loaded again.
func FuzzLoad(f *testing.F) {
	for _, text := range samples(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := loadText(text)
		if err != nil {
			checkErrors(t, err, text)
			return
		}
		checkRoundTrip(t, d)
	})
}

func checkErrors(t *testing.T, err error, text string) {
	all, ok := err.(Errors)
	if !ok {
		t.Fatalf("%T", err)
	}
	lines := strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")
	for i, e := range all {
		if e.Reason == "" || e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Column > len(lines[e.Line-1])+1 {
			t.Errorf("%#v", e)
		}
		if i > 0 && *e == *all[i-1] {
			t.Errorf("twice: %v", e)
		}
	}
}

// samples are the documents of testdata.
func samples(tb testing.TB) []string {
	var texts []string
	for _, pattern := range []string{"testdata/good/*", "testdata/bad/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			tb.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				tb.Fatal(err)
			}
			if filepath.Ext(file) != ".txtar" {
				texts = append(texts, string(data))
				continue
			}
			for _, f := range txtar.Parse(data).Files {
				texts = append(texts, string(f.Data))
			}
		}
	}
	return texts
}

// FuzzJSON compares the parser with encoding/json, which is the more tolerant one:
// of equal keys it takes the last, and it mends broken UTF-8 and UTF-16.
func FuzzJSON(f *testing.F) {
	for _, text := range samples(f) {
		f.Add(text)
	}
	for _, text := range []string{`[]`, `[1,-0,1.5e3,0.1E-2,true,false,null,"\ud83d\ude00\n\/"]`, `{"a":{"":[]}}`, `01`, `1.`, `"\x"`, `[1,]`, ` {} `, `{}{}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		tr, err := parseJSON(text)
		valid := json.Valid([]byte(text))
		if err != nil {
			if valid && !strings.Contains(err.reason, "escape") && !strings.Contains(err.reason, "deeply") {
				t.Fatalf("%q: %s", text, err.reason)
			}
			return
		}
		if !valid {
			t.Fatalf("%q is no JSON", text)
		}
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if int(tr.nodes[0].size) != len(tr.nodes) {
			t.Fatalf("%d nodes, the first holds %d", len(tr.nodes), tr.nodes[0].size)
		}
		if got := asJSON(tr, 0); !reflect.DeepEqual(want, got) {
			t.Fatal(cmp.Diff(want, got))
		}
	})
}

// asJSON returns a tree as encoding/json has it.
func asJSON(t *tree, n ref) any {
	switch t.shape(n) {
	case isNull:
		return nil
	case isText:
		return t.string(n)
	case isPlain:
		if b, err := strconv.ParseBool(t.string(n)); err == nil && len(t.string(n)) > 1 {
			return b
		}
		return json.Number(t.string(n))
	case isList:
		list := []any{}
		for e := n + 1; e < t.next(n); e = t.next(e) {
			list = append(list, asJSON(t, e))
		}
		return list
	}
	m := map[string]any{}
	for k := n + 1; k < t.next(n); k = t.next(k + 1) {
		m[t.string(k)] = asJSON(t, k+1)
	}
	return m
}

// FuzzText writes any string, as a key and as a value, in blocks and in flows, and
// has it read by parsers of YAML 1.1 and 1.2.
func FuzzText(f *testing.F) {
	for _, s := range []string{"on", "0755", "02:00:00:00:00:01", "fd00::", "::1", "a: b", "\u2028\u0085\x7f\x00", "12:30:45", "2001-02-03", "=", "~", "1_000", "0b1", ".5", "+1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// YAML's keys are at most 1024 characters long.
		if !utf8.ValidString(s) || len(s) > maxKey/2 {
			return
		}
		w := writer{names: builtin}
		w.openMap(false)
		for _, flow := range []bool{false, true} {
			w.key(strconv.FormatBool(flow) + "-")
			w.openMap(flow)
			w.key(s)
			w.text(s)
			w.close()
		}
		w.close()
		want := map[string]map[string]any{"false-": {s: s}, "true-": {s: s}}
		for name, unmarshal := range map[string]func([]byte, any) error{
			"1.2": yaml.Unmarshal,
			"1.1": func(b []byte, v any) error { return sigs.Unmarshal(b, v) },
		} {
			got := map[string]map[string]any{}
			if err := unmarshal(w.buf, &got); err != nil {
				t.Fatalf("YAML %s: %v in\n%s", name, err, w.buf)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("YAML %s: %s in\n%s", name, d, w.buf)
			}
		}
	})
}
