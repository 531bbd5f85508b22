package revocation

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Outcome is what Put, or Bulk with Restore, did.
type Outcome string

// What they can do.
const (
	// Created: there was no entry, or one that had expired.
	Created Outcome = "created"
	// Extended: there was one, and now it revokes more or for longer, or it
	// had been written by hand and now List shows it.
	Extended Outcome = "extended"
	// Kept: the entry that was there revokes all of that already. Nothing was
	// written; who wrote it, when and why stays on record.
	Kept Outcome = "kept"

	// Deleted: the entry was there, and Bulk has deleted it.
	Deleted Outcome = "deleted"
	// Absent: there was none to delete.
	Absent Outcome = "absent"
)

// Put writes e and returns the entry that is in force now. It is idempotent.
//
// It never weakens what is there: a revoke must not let anybody in whom an
// earlier one keeps out. So in each respect the stronger counts: no not_before
// over any, a later one over an earlier one, no end over any, a later end over
// an earlier one. Where two entries differ in both respects the result can
// revoke more than either alone: compare it with e, and Delete first where
// that is not wanted.
//
// The reason of what was there, and who wrote it when, stay in the new reason.
//
// An entry that cannot be written is an *InvalidError.
func (s *Store) Put(ctx context.Context, e Entry) (Entry, Outcome, error) {
	return s.put(ctx, e, func(context.Context) error { return nil })
}

// contention is how often another writer may be faster.
const contention = 10

func (s *Store) put(ctx context.Context, e Entry, pace func(context.Context) error) (Entry, Outcome, error) {
	now := s.now()
	if e.RevokedAt.IsZero() {
		e.RevokedAt = now.Truncate(time.Second)
	}
	if err := e.Check(now); err != nil {
		return Entry{}, "", &InvalidError{err}
	}
	// Most entries are new: one call for them.
	var old map[string]types.AttributeValue
	for range contention {
		next, outcome := e, Created
		if old != nil {
			next, outcome = merge(entryOf(old), e, now)
		}
		if outcome == Kept {
			return next, Kept, nil
		}
		if err := pace(ctx); err != nil {
			return Entry{}, "", err
		}
		written, seen, err := s.write(ctx, next, old, outcome)
		if err != nil {
			return Entry{}, "", err
		}
		if written != nil {
			return entryOf(written), outcome, nil
		}
		old = seen
	}
	return Entry{}, "", &InvalidError{errors.New("others keep changing the same entry: try again")}
}

// merge is the entry that holds both, and what it takes to get there.
func merge(old, e Entry, now time.Time) (Entry, Outcome) {
	if !old.InForce(now) {
		return e, Created
	}
	merged := e
	merged.NotBefore = stronger(old.NotBefore, e.NotBefore)
	merged.ExpiresAt = stronger(old.ExpiresAt, e.ExpiresAt)
	if merged.NotBefore.Equal(old.NotBefore) && merged.ExpiresAt.Equal(old.ExpiresAt) && !old.Unlisted {
		return old, Kept
	}
	merged.Reason = bothReasons(old, e)
	return merged, Extended
}

// bothReasons are why there is an entry and why it reaches further now, with
// who wrote the first and when: an incident is looked up by its reason long
// after.
func bothReasons(old, e Entry) string {
	earlier := old.Reason
	if old.RevokedBy != "" {
		earlier += " (by " + old.RevokedBy
		if !old.RevokedAt.IsZero() {
			earlier += " at " + old.RevokedAt.UTC().Format(time.RFC3339)
		}
		earlier += ")"
	}
	switch earlier = strings.TrimSpace(earlier); {
	case earlier == "":
		return e.Reason
	case e.Reason != "":
		earlier = e.Reason + "; earlier: " + earlier
	}
	if len(earlier) <= maxText {
		return earlier
	}
	const cut = "…"
	return strings.ToValidUTF8(earlier[:maxText-len(cut)], "") + cut
}

// stronger is the limit that revokes more: none, else the later.
func stronger(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	a, b = time.Unix(ceil(a), 0), time.Unix(ceil(b), 0)
	if a.After(b) {
		return a
	}
	return b
}

// write puts e unless the item is another than old, nil for none. It returns
// what it wrote, or else the item that is there, nil if there is none.
func (s *Store) write(ctx context.Context, e Entry, old map[string]types.AttributeValue, o Outcome) (written, seen map[string]types.AttributeValue, err error) {
	base := old
	if o == Created {
		base = nil // an expired entry leaves nothing behind
	}
	item, err := e.item(base)
	if err != nil {
		return nil, nil, &InvalidError{err}
	}
	in := &dynamodb.PutItemInput{
		TableName: aws.String(s.table), Item: item,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              capacity,
	}
	unchanged(in, old)
	out, err := s.client.PutItem(ctx, in)
	if err == nil && out.ConsumedCapacity == nil {
		err = errSilent
	}
	var conflict *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &conflict):
		pk, _ := text(item["pk"])
		if seen = conflict.Item; seen == nil {
			// Deleted between the two, or a server that does not return it.
			seen, err = s.get(ctx, pk)
			return nil, seen, err
		}
		return nil, seen, nil
	case err != nil:
		return nil, nil, s.failed("write to", err)
	}
	return item, nil, nil
}

// unchanged makes in conditional on the item being old still, as far as an
// entry's strength goes.
func unchanged(in *dynamodb.PutItemInput, old map[string]types.AttributeValue) {
	if old == nil {
		in.ConditionExpression = aws.String("attribute_not_exists(pk)")
		return
	}
	condition := "attribute_exists(pk)"
	for _, name := range []string{"kind", "revoked_at", "not_before", "expires_at"} {
		if in.ExpressionAttributeNames == nil {
			in.ExpressionAttributeNames = make(map[string]string)
		}
		in.ExpressionAttributeNames["#"+name] = name
		if old[name] == nil {
			condition += " AND attribute_not_exists(#" + name + ")"
			continue
		}
		condition += " AND #" + name + " = :" + name
		if in.ExpressionAttributeValues == nil {
			in.ExpressionAttributeValues = make(map[string]types.AttributeValue)
		}
		in.ExpressionAttributeValues[":"+name] = old[name]
	}
	in.ConditionExpression = aws.String(condition)
}
