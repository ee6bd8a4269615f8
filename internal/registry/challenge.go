package registry

import "strings"

// A challenge is a registry's demand for authentication: a scheme and its parameters.
// https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
type challenge struct {
	scheme     string // lower case
	parameters map[string]string
}

// chosenChallenge returns the challenge to answer among WWW-Authenticate headers: the
// first Bearer one, else the first Basic one, else nil.
func chosenChallenge(headers []string) *challenge {
	for _, scheme := range []string{"bearer", "basic"} {
		for _, header := range headers {
			for _, c := range parseChallenges(header) {
				if c.scheme == scheme {
					return c
				}
			}
		}
	}
	return nil
}

// parseChallenges reads one header, which may hold several challenges. It stops at the
// first word that does not follow the grammar.
func parseChallenges(header string) []*challenge {
	var list []*challenge
	var c *challenge
	rest := strings.TrimLeft(header, " ,\t")
	for rest != "" {
		word, after := cutToken(rest)
		if word == "" {
			return list
		}
		value, ok := strings.CutPrefix(strings.TrimLeft(after, " \t"), "=")
		switch {
		case !ok: // a scheme
			c = &challenge{scheme: strings.ToLower(word), parameters: map[string]string{}}
			list = append(list, c)
			rest = skipToken68(strings.TrimLeft(after, " \t"))
		case c == nil:
			return list
		default:
			c.parameters[strings.ToLower(word)], rest = cutValue(strings.TrimLeft(value, " \t"))
		}
		rest = strings.TrimLeft(rest, " ,\t")
	}
	return list
}

// skipToken68 skips a token68, which a scheme may have in place of parameters (RFC
// 9110, section 11.2). A comma or the end follows it.
func skipToken68(s string) string {
	rest := strings.TrimLeft(strings.TrimLeftFunc(s, func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~+/", r)
	}), "=")
	if end := strings.TrimLeft(rest, " \t"); end == "" || end[0] == ',' {
		return rest
	}
	return s
}

// cutToken splits off a token of RFC 9110, section 5.6.2.
func cutToken(s string) (token, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

// cutValue splits off a token or a quoted string.
func cutValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		return cutToken(s)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:]
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}
