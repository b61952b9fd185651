package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The digest is that of the bytes of all files, and every object is counted once.
func TestCountAndDigest(t *testing.T) {
	first := "\ufeffversion: 1\nlinks:\n  lo: {addresses: [192.0.2.1/32, 192.0.2.2/32], sysctl: {ipv4.forwarding: 1}}\n  eth0: {}\n"
	second := "version: 1\nsysctl: {net.ipv4.ip_forward: 1}\nrules: [{priority: 5, table: 9}]\n" +
		"namespaces: {red: {routes: [{to: default, dev: lo}, {to: 10.0.0.0/8, dev: lo}], links: {lo: {}}}}\n"
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": first, "b.yaml": second} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	doc, err := Load([]string{dir}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"link": 3, "address": 2, "sysctl": 2, "rule": 1, "route": 2, "namespace": 1, "neighbor": 0}
	if diff := cmp.Diff(want, doc.Count()); diff != "" {
		t.Error(diff)
	}
	sum := sha256.Sum256([]byte(first + second))
	if got := doc.Digest(); got != hex.EncodeToString(sum[:]) {
		t.Errorf("digest %s, want %x", got, sum)
	}
	if got := new(Document).Digest(); got != "" {
		t.Errorf("a document without files has the digest %q", got)
	}
}
