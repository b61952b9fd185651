package results_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nlapply/nlapply/tests/results"
)

const stream = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/one"}
{"Action":"output","Package":"p","Test":"TestA/one","Output":"chatter\n"}
{"Action":"attr","Package":"p","Test":"TestA/one","Key":"tried","Value":"3 of 4"}
{"Action":"pass","Package":"p","Test":"TestA/one","Elapsed":0.5}
{"Action":"run","Package":"p","Test":"TestA/two"}
{"Action":"output","Package":"p","Test":"TestA/two","Output":"    script.go:12: # a comment\n"}
{"Action":"output","Package":"p","Test":"TestA/two","Output":"    script.go:90: no link kind vlan\n"}
{"Action":"output","Package":"p","Test":"TestA/two","Output":"    testscript.go:595: # the transcript\n"}
{"Action":"skip","Package":"p","Test":"TestA/two"}
not an event
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}
`

func TestSummary(t *testing.T) {
	tests := []struct{ name, more, want string }{
		{"green", "", "1 passed, 1 skipped (1: no link kind vlan)"},
		{
			"failed leaf counts once",
			`{"Action":"run","Package":"q","Test":"TestB"}
{"Action":"run","Package":"q","Test":"TestB/x"}
{"Action":"output","Package":"q","Test":"TestB/x","Output":"broken\n"}
{"Action":"fail","Package":"q","Test":"TestB/x"}
{"Action":"fail","Package":"q","Test":"TestB"}
{"Action":"fail","Package":"q"}
`, "1 passed, 1 FAILED, 1 skipped (1: no link kind vlan)",
		},
		{
			"crash without a failed test",
			`{"Action":"output","Package":"q","Output":"fatal error\n"}
{"Action":"fail","Package":"q"}
`, "1 passed, 1 FAILED, 1 skipped (1: no link kind vlan)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s results.Summary
			if err := results.Decode(strings.NewReader(stream+tt.more), s.Add); err != nil {
				t.Fatal(err)
			}
			if got := s.String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if want := "TestA/one: tried: 3 of 4"; len(s.Attributes) != 1 || s.Attributes[0] != want {
				t.Errorf("attributes %q, want %q", s.Attributes, want)
			}
			if got, want := s.OK(), tt.more == ""; got != want {
				t.Errorf("OK() = %v, want %v", got, want)
			}
		})
	}
}

// The filter may drop output, but never what a summary is made of.
func TestFilterKeepsSummary(t *testing.T) {
	var direct, filtered results.Summary
	var line bytes.Buffer
	f := results.NewFilter(&line)
	err := results.Decode(strings.NewReader(stream), func(e results.Event) {
		direct.Add(e)
		if err := f.Add(e); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(line.String(), "chatter") {
		t.Error("the output of a passed test was passed on")
	}
	if err := results.Decode(&line, filtered.Add); err != nil {
		t.Fatal(err)
	}
	if got, want := filtered.String(), direct.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
