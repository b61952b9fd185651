package cli

import "sigs.k8s.io/yaml"

func yamlToJSON(b []byte) ([]byte, error) {
	j, err := yaml.YAMLToJSON(b)
	return append(j, '\n'), err
}
