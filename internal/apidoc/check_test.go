package apidoc

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// checker holds JSON against schemas: those keywords of JSON Schema that the
// description uses. Any other is an error, so that none is only thought to be
// checked.
type checker struct {
	root map[string]any // where references lead from
	// strict refuses properties that are not described, as an answer of this
	// very version must not have any.
	strict bool
}

// check returns what is wrong with v, which json.Decoder.UseNumber made.
func (c *checker) check(at string, s map[string]any, v any) []string {
	if ref, ok := s["$ref"].(string); ok {
		target, ok := c.find(ref)
		if !ok {
			return []string{fmt.Sprintf("%s: there is no %s", at, ref)}
		}
		return c.check(at, target, v)
	}
	var wrong []string
	for keyword, want := range s {
		if err := c.keyword(at, s, keyword, want, v, &wrong); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", at, err))
		}
	}
	return wrong
}

func (c *checker) find(ref string) (map[string]any, bool) {
	at := any(c.root)
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		at = m[part]
	}
	m, ok := at.(map[string]any)
	return m, ok
}

// keyword checks one keyword of a schema. Those of parts add to wrong.
func (c *checker) keyword(at string, s map[string]any, keyword string, want, v any, wrong *[]string) error {
	switch keyword {
	case "description", "example":
		return nil
	case "type":
		if got := typeOf(v); got != want {
			return fmt.Errorf("is of type %s, want %s", got, want)
		}
	case "enum":
		if !slices.Contains(want.([]any), v) {
			return fmt.Errorf("%v is none of %v", v, want)
		}
	case "properties", "additionalProperties", "required":
		if o, ok := v.(map[string]any); ok {
			return c.object(at, s, keyword, o, wrong)
		}
	case "items":
		if list, ok := v.([]any); ok {
			for i, item := range list {
				*wrong = append(*wrong, c.check(fmt.Sprintf("%s[%d]", at, i), want.(map[string]any), item)...)
			}
		}
	case "minItems", "maxItems":
		if list, ok := v.([]any); ok {
			return compare(keyword, fmt.Sprint(len(list)), want)
		}
	case "minimum", "maximum":
		if n, ok := v.(json.Number); ok {
			return compare(keyword, n.String(), want)
		}
	case "pattern", "minLength", "format":
		return checkText(keyword, want, v)
	default:
		return fmt.Errorf("the checker does not know the keyword %q", keyword)
	}
	return nil
}

func (c *checker) object(at string, s map[string]any, keyword string, o map[string]any, wrong *[]string) error {
	properties, _ := s["properties"].(map[string]any)
	if keyword == "required" {
		for _, name := range s["required"].([]any) {
			if _, ok := o[name.(string)]; !ok {
				return fmt.Errorf("has no %q", name)
			}
		}
		return nil
	}
	closed := c.strict || s["additionalProperties"] == false
	for name, v := range o {
		p, ok := properties[name].(map[string]any)
		switch {
		case ok && keyword == "properties":
			*wrong = append(*wrong, c.check(at+"."+name, p, v)...)
		case !ok && closed && keyword == "properties":
			*wrong = append(*wrong, fmt.Sprintf("%s: %q is not described", at, name))
		}
	}
	return nil
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		if _, ok := new(big.Int).SetString(v.String(), 10); ok {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// compare compares whole numbers, which may be of 64 bits.
func compare(keyword, got string, want any) error {
	a, okA := new(big.Int).SetString(got, 10)
	b, okB := new(big.Int).SetString(fmt.Sprint(want), 10)
	if !okA || !okB {
		return fmt.Errorf("%s: %s and %v are no whole numbers", keyword, got, want)
	}
	if least := strings.HasPrefix(keyword, "min"); least && a.Cmp(b) < 0 || !least && a.Cmp(b) > 0 {
		return fmt.Errorf("%s is %v, got %s", keyword, want, got)
	}
	return nil
}

func checkText(keyword string, want, v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	switch keyword {
	case "pattern":
		if !regexp.MustCompile(want.(string)).MatchString(s) {
			return fmt.Errorf("%q does not match %s", s, want)
		}
	case "minLength":
		return compare(keyword, fmt.Sprint(utf8.RuneCountInString(s)), want)
	case "format":
		if want == "date-time" {
			_, err := time.Parse(time.RFC3339Nano, s)
			return err
		}
	}
	return nil
}
