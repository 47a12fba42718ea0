package admin

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/act"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

// The roles. Each may do what those before it may.
const (
	noRole  = adminv1.Role_ROLE_UNSPECIFIED
	viewer  = adminv1.Role_ROLE_VIEWER
	auditor = adminv1.Role_ROLE_AUDITOR
	admin   = adminv1.Role_ROLE_ADMIN
)

// roleNames are the roles as people, files and Redis name them.
var roleNames = map[adminv1.Role]string{viewer: "viewer", auditor: "auditor", admin: "admin"}

// roleNamed returns the role of a name; noRole, which may do nothing, where there is none.
func roleNamed(name string) adminv1.Role {
	for role, known := range roleNames {
		if known == name {
			return role
		}
	}
	return noRole
}

// caller is whoever makes a call.
type caller struct {
	// name is what history and records show: a token's name, or a person's e-mail address.
	name string
	// kind is by what they are known: act.TokenFile, act.APIToken or act.Person.
	kind string
	role adminv1.Role
	// person is the zero person where a program calls.
	person person
}

// person is somebody who has signed in, by what Atlassian says of them.
type person struct{ accountID, email, name string }

// callerKinds are the kinds as a sentence names them.
var callerKinds = map[string]string{
	act.TokenFile: "a token of the token file", act.APIToken: "an API token", act.Person: "a person",
}

// asPerson is a person as a caller.
func asPerson(p person, role adminv1.Role) caller {
	return caller{name: cmp.Or(p.email, p.accountID), kind: act.Person, role: role, person: p}
}

// user is the caller as a record has them.
func (c caller) user() activity.User {
	u := activity.User{ID: c.person.accountID, Email: c.person.email, Name: c.person.name}
	if c.kind != act.Person {
		u.Name = c.name
	}
	if name := roleNames[c.role]; name != "" {
		u.Roles = []string{name}
	}
	return u
}

// says is the caller as a sentence tells.
func (c caller) says() string {
	role := "no role"
	if name := roleNames[c.role]; name != "" {
		role = "the role " + name
	}
	return fmt.Sprintf("%s (%s) has %s", c.name, callerKinds[c.kind], role)
}

// callerKey is where a call's context has its caller.
type callerKey struct{}

// callerOf returns who makes a call; the zero caller, who may do nothing, of an open one.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// roleOf returns the highest role that a person has by themselves or by a group. A role or a group that
// isn't known gives nothing.
func roleOf(p person, groups []state.Group, bindings []state.RoleBinding) adminv1.Role {
	highest := noRole
	for _, b := range bindings {
		if bound(b, p, groups) {
			highest = max(highest, roleNamed(b.Role))
		}
	}
	return highest
}

func bound(b state.RoleBinding, p person, groups []state.Group) bool {
	switch {
	case b.AccountID != "":
		return b.AccountID == p.accountID
	case b.Email != "":
		return strings.EqualFold(b.Email, p.email)
	case b.GroupID != "":
		for _, g := range groups {
			if g.ID == b.GroupID {
				return true
			}
		}
	}
	return false
}
