package query

import (
	"slices"
	"strings"
)

// Parse reads a query. Its error is an *Error.
func Parse(d Dialect, text string) (Query, error) {
	tokens, err := lex(d, text)
	if err != nil {
		return Query{}, err
	}
	p := &parser{dialect: d, tokens: tokens}
	q := Query{Dialect: d}
	if !p.peek().is("ORDER") && p.peek().kind != end {
		if q.Where, err = p.or(); err != nil {
			return Query{}, err
		}
	}
	if q.Order, err = p.orderBy(); err != nil {
		return Query{}, err
	}
	if t := p.peek(); t.kind != end {
		return Query{}, d.errorf("Expecting either 'OR' or 'AND' but got '%s'. (line 1, character %d)", t.text, t.at)
	}
	return q, nil
}

type parser struct {
	dialect Dialect
	tokens  []token
	pos     int
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != end {
		p.pos++
	}
	return t
}

func (p *parser) take(text string) bool {
	if p.peek().is(text) {
		p.next()
		return true
	}
	return false
}

func (p *parser) or() (Expr, error) {
	first, err := p.and()
	if err != nil {
		return nil, err
	}
	all := Or{first}
	for p.take("OR") {
		part, err := p.and()
		if err != nil {
			return nil, err
		}
		all = append(all, part)
	}
	if len(all) == 1 {
		return first, nil
	}
	return all, nil
}

func (p *parser) and() (Expr, error) {
	first, err := p.not()
	if err != nil {
		return nil, err
	}
	all := And{first}
	for p.take("AND") {
		part, err := p.not()
		if err != nil {
			return nil, err
		}
		all = append(all, part)
	}
	if len(all) == 1 {
		return first, nil
	}
	return all, nil
}

func (p *parser) not() (Expr, error) {
	if p.take("NOT") || p.take("!") {
		part, err := p.not()
		return Not{part}, err
	}
	if p.take("(") {
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	return p.clause()
}

func (p *parser) expect(text string) error {
	if p.take(text) {
		return nil
	}
	t := p.peek()
	if t.kind == end {
		return p.dialect.errorf("Expecting '%s' before the end of the query.", text)
	}
	return p.dialect.errorf("Expecting '%s' but got '%s'. (line 1, character %d)", text, t.text, t.at)
}

var operators = []string{"=", "!=", "<", ">", "<=", ">=", "~", "!~"}

const operatorsExpected = "The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'."

var reserved = []string{"AND", "OR", "NOT", "IN", "IS", "ORDER", "EMPTY", "NULL"}

func (p *parser) clause() (Expr, error) {
	field := p.next()
	isReserved := field.kind == word && slices.ContainsFunc(reserved, field.is)
	if field.kind == end {
		return nil, p.dialect.errorf("Expecting a field name at the end of the query.")
	}
	if field.kind == symbol || isReserved {
		return nil, p.dialect.errorf("Expecting a field name but got '%s'. You must surround '%s' in quotation marks to use it as a field name. (line 1, character %d)", field.text, field.text, field.at)
	}
	c := Clause{Field: field.text}
	op := p.next()
	switch {
	case op.kind == symbol && slices.Contains(operators, op.text):
		c.Op = op.text
		value, err := p.operand()
		c.Of = []Operand{value}
		return c, err
	case op.is("IN"):
		c.Op = "IN"
	case op.is("NOT") && p.take("IN"):
		c.Op = "NOT IN"
	case op.is("IS"):
		return p.emptiness(c)
	case op.kind == end:
		return nil, p.dialect.errorf("Expecting operator before the end of the query. %s", operatorsExpected)
	default:
		return nil, p.dialect.errorf("Expecting operator but got '%s'. %s (line 1, character %d)", op.text, operatorsExpected, op.at)
	}
	var err error
	c.Of, err = p.list()
	return c, err
}

func (p *parser) emptiness(c Clause) (Expr, error) {
	c.Op = "IS"
	if p.take("NOT") {
		c.Op = "IS NOT"
	}
	if p.take("EMPTY") || p.take("NULL") {
		return c, nil
	}
	return nil, p.dialect.errorf("The operator '%s' can only be used with EMPTY or NULL.", strings.ToLower(c.Op))
}

func (p *parser) list() ([]Operand, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var all []Operand
	for {
		value, err := p.operand()
		if err != nil {
			return nil, err
		}
		all = append(all, value)
		if !p.take(",") {
			return all, p.expect(")")
		}
	}
}

func (p *parser) operand() (Operand, error) {
	t := p.next()
	switch {
	case t.kind == end:
		return Operand{}, p.dialect.errorf("Expecting either a value, list or function before the end of the query.")
	case t.kind == symbol:
		return Operand{}, p.dialect.errorf("Expecting either a value, list or function but got '%s'. You must surround '%s' in quotation marks to use it as a value. (line 1, character %d)", t.text, t.text, t.at)
	case t.kind == word && p.take("("):
		call := Operand{Func: t.text}
		for !p.take(")") {
			arg := p.next()
			if arg.kind == end || arg.kind == symbol {
				return Operand{}, p.dialect.errorf("Expecting ')' before the end of the query.")
			}
			call.Args = append(call.Args, arg.text)
			p.take(",")
		}
		return call, nil
	}
	return Operand{Text: t.text}, nil
}

func (p *parser) orderBy() ([]Sort, error) {
	if !p.take("ORDER") {
		return nil, nil
	}
	if err := p.expect("BY"); err != nil {
		return nil, err
	}
	var order []Sort
	for {
		field := p.next()
		if field.kind != word && field.kind != quoted {
			return nil, p.dialect.errorf("Expecting a field name after 'ORDER BY'.")
		}
		s := Sort{Field: field.text, Desc: p.take("DESC")}
		if !s.Desc {
			p.take("ASC")
		}
		order = append(order, s)
		if !p.take(",") {
			return order, nil
		}
	}
}
