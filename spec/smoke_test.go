package spec

import ("testing";"fmt")

func TestSmoke(t *testing.T) {
	d, err := Load([]string{"testdata/good/design.yaml"}, nil, testVocabulary)
	if err != nil { t.Fatal(err) }
	b, _ := d.Marshal()
	fmt.Println(string(b))
}
