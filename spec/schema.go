package spec

import (
	"encoding/json"
	"maps"
)

// Schema returns the JSON Schema of the document, for editors.
func Schema(v Vocabulary) ([]byte, error) {
	if v == nil {
		v = noKinds{}
	}
	doc := documentObject.schema()
	doc["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	doc["title"] = "nlapply"
	doc["description"] = "The network state that nlapply makes true."
	doc["$defs"] = schema{"link": linkSchema(v), "namespace": orNull(namespaceObject.schema())}
	return json.MarshalIndent(doc, "", "  ")
}

// linkSchema is a link with the sections of all kinds.
func linkSchema(v Vocabulary) schema {
	link := linkObject.schema()
	properties := link["properties"].(schema)
	kind := maps.Clone(properties["kind"].(schema))
	kind["enum"] = v.Kinds()
	properties["kind"] = kind
	for _, name := range v.Kinds() {
		for _, name := range []string{name, name + portSuffix} {
			if section, ok := v.Section(name); ok {
				properties[name] = sectionSchema(section)
			}
		}
	}
	return orNull(link)
}

func sectionSchema(section Section) schema {
	properties := schema{}
	for _, key := range section.Keys() {
		s := maps.Clone(section.Schema(key))
		if _, named := s["x-names"]; named {
			delete(s, "x-names")
			s = schema{"anyOf": []any{s, schema{"type": "string"}}}
		}
		properties[key] = s
	}
	return orNull(schema{"type": "object", "properties": properties, "additionalProperties": false})
}

// orNull lets the braces of an empty map be left out.
func orNull(object schema) schema {
	object["type"] = []string{"object", "null"}
	return object
}
