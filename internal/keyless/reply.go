package keyless

import (
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/strictjson"
	"github.com/greenticai/packvendor/internal/trust"
)

// protocol is the version of requests and replies.
const protocol = 1

// always are the fields of every reply.
var always = []string{"version", "bundle_digest", "root_digest", "digest", "verdict"}

// readReply reads the reply to a question: the answer, or why the signature is not valid. A
// reply to another question is an error, as is one with a field too many or too few.
func readReply(reply []byte, k key) (answer *Answer, reason string, err error) {
	err = strictjson.Read(reply, func(o strictjson.Object) {
		if n := o.Int("version"); n != protocol {
			o.Fail("version", "%d, not %d", n, protocol)
		}
		echo(o, "bundle_digest", k.bundle)
		echo(o, "root_digest", k.root)
		echo(o, "digest", k.digest)
		switch verdict := o.String("verdict"); verdict {
		case "invalid":
			o.Only(append([]string{"reason"}, always...)...)
			reason = text(o, "reason")
		case "verified":
			answer = readAnswer(o)
		default:
			o.Fail("verdict", "%s, not verified or invalid", printable.Quote(verdict, maxQuoted))
		}
	})
	if err != nil {
		return nil, "", err
	}
	return answer, reason, nil
}

// echo checks that a field repeats a digest of the question.
func echo(o strictjson.Object, field string, want ociref.Digest) {
	if got := o.String(field); got != want.String() {
		o.Fail(field, "%s, not %s", printable.Quote(got, maxQuoted), want)
	}
}

// readAnswer reads what a reply about a valid signature says.
func readAnswer(o strictjson.Object) *Answer {
	o.Only(append([]string{
		"payload", "issuer", "subject", "repository", "repository_id", "owner_id", "ref", "trigger", "runner_environment", "time",
	}, always...)...)
	text(o, "payload")
	return &Answer{
		Payload: o.Base64("payload"),
		Identity: trust.Identity{
			Issuer: text(o, "issuer"), Subject: text(o, "subject"),
			Repository: o.String("repository"), RepositoryID: o.String("repository_id"), OwnerID: o.String("owner_id"),
			Ref: o.String("ref"), Trigger: o.String("trigger"), Runner: o.String("runner_environment"),
			Time: readTime(o, "time"),
		},
	}
}

// text returns a string that is not empty.
func text(o strictjson.Object, field string) string {
	s := o.String(field)
	if s == "" {
		o.Fail(field, "empty")
	}
	return s
}

// readTime reads a time that is written in the one way of the protocol.
func readTime(o strictjson.Object, field string) time.Time {
	s := o.String(field)
	at, err := time.Parse(time.RFC3339, s)
	if err != nil || at.UTC().Format(time.RFC3339) != s {
		o.Fail(field, "%s is not a time in UTC", printable.Quote(s, maxQuoted))
	}
	return at.UTC()
}
