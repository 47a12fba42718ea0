// Package query reads Atlassian's two search languages, JQL and CQL, which share one grammar: clauses
// of field, operator and operand, joined by AND, OR and NOT, with parentheses and ORDER BY.
// What the fields mean is said by a Schema.
package query

import "fmt"

// Dialect is the language of a query; it changes how a syntax error begins.
type Dialect string

// The two languages.
const (
	JQL Dialect = "JQL"
	CQL Dialect = "CQL"
)

func (d Dialect) errorf(format string, args ...any) error {
	if d == CQL {
		return &Error{"Could not parse cql : " + fmt.Sprintf(format, args...)}
	}
	return &Error{"Error in the JQL Query: " + fmt.Sprintf(format, args...)}
}

// Error is a query that Jira or Confluence would refuse with 400, in the product's words.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

// Query is a parsed query. A nil Where matches everything.
type Query struct {
	Dialect Dialect
	Where   Expr
	Order   []Sort
}

// Expr is one of And, Or, Not and Clause.
type Expr interface{ expr() }

// And holds when all of its parts hold.
type And []Expr

// Or holds when any of its parts holds.
type Or []Expr

// Not holds when its part doesn't.
type Not struct{ Of Expr }

// Clause compares one field: `status IN (Done, "To Do")`. Op is upper case; `IS` and `IS NOT` have no
// operands, for only EMPTY can follow them.
type Clause struct {
	Field string
	Op    string
	Of    []Operand
}

func (And) expr()    {}
func (Or) expr()     {}
func (Not) expr()    {}
func (Clause) expr() {}

// Operand is a literal, or a call such as currentUser() or startOfDay("-1d").
type Operand struct {
	Text string
	Func string
	Args []string
}

// Sort is one term of ORDER BY.
type Sort struct {
	Field string
	Desc  bool
}
