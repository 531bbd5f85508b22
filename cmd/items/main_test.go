package main

import (
	"strings"
	"testing"
)

func TestStartNamesTheVariableThatIsWrong(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	good := map[string]string{"ITEMS_TABLE": "items", "ITEMS_CURSOR_SECRET": "cursors"}
	for _, c := range []struct{ name, value, want string }{
		{"", "", ""},
		{"ITEMS_TABLE", "", "ITEMS_TABLE is not set"},
		{"ITEMS_CURSOR_SECRET", "", "ITEMS_CURSOR_SECRET is not set"},
		{"ITEMS_CORS_ORIGINS", "https://app.example.com,https://b.example.com", ""},
		{"ITEMS_CORS_ORIGINS", "app.example.com", "ITEMS_CORS_ORIGINS: \"app.example.com\" is not an origin"},
		{"ITEMS_CORS_CREDENTIALS", "perhaps", "ITEMS_CORS_CREDENTIALS"},
		{"ITEMS_LOG_PRINCIPAL", "hash", ""},
		{"ITEMS_LOG_PRINCIPAL", "none", "ITEMS_LOG_PRINCIPAL"},
		{"LOG_LEVEL", "debug", ""},
		{"LOG_LEVEL", "loud", "LOG_LEVEL"},
	} {
		_, err := build(t.Context(), func(name string) string {
			if name == c.name {
				return c.value
			}
			return good[name]
		})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s=%s: %v, want %s", c.name, c.value, err, c.want)
		}
	}
}
