package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const benchRoutes = 100_000

// plainDocument is the document's routes as encoding/json would have them.
type plainDocument struct {
	Version int          `json:"version"`
	Routes  []plainRoute `json:"routes"`
}

type plainRoute struct {
	To     string `json:"to"`
	Via    string `json:"via"`
	Dev    string `json:"dev"`
	Table  uint32 `json:"table"`
	Metric uint32 `json:"metric"`
}

func benchJSON() string {
	var b strings.Builder
	b.WriteString(`{"version": 1, "routes": [`)
	for i := range benchRoutes {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `{"to": "10.%d.%d.%d/32", "via": "192.0.2.%d", "dev": "eth0", "table": 100, "metric": 50}`, i>>16, i>>8&255, i&255, 1+i%200)
	}
	b.WriteString("]}\n")
	return b.String()
}

func benchYAML() string {
	var b strings.Builder
	b.WriteString("version: 1\nroutes:\n")
	for i := range benchRoutes {
		fmt.Fprintf(&b, "- to: 10.%d.%d.%d/32\n  via: 192.0.2.%d\n  dev: eth0\n  table: 100\n  metric: 50\n", i>>16, i>>8&255, i&255, 1+i%200)
	}
	return b.String()
}

func benchLoad(b *testing.B, name, text string) {
	file := filepath.Join(b.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		d, err := Load([]string{file}, nil, testVocabulary)
		if err != nil || len(d.Routes) != benchRoutes {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	text := benchJSON()
	b.Run("nlapply", func(b *testing.B) { benchLoad(b, "routes.json", text) })
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			var d plainDocument
			dec := json.NewDecoder(bytes.NewReader([]byte(text)))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&d); err != nil || len(d.Routes) != benchRoutes {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkYAML(b *testing.B) {
	text := benchYAML()
	b.Run("nlapply", func(b *testing.B) { benchLoad(b, "routes.yaml", text) })
	b.Run("sigs-yaml", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			var d plainDocument
			if err := yaml.UnmarshalStrict([]byte(text), &d); err != nil || len(d.Routes) != benchRoutes {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkMarshal(b *testing.B) {
	file := filepath.Join(b.TempDir(), "routes.json")
	if err := os.WriteFile(file, []byte(benchJSON()), 0o600); err != nil {
		b.Fatal(err)
	}
	d, err := Load([]string{file}, nil, testVocabulary)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Marshal(); err != nil {
			b.Fatal(err)
		}
	}
}
