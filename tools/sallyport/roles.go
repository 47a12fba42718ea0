package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type rolesVerbs struct {
	Get    rolesGet    `cmd:"" help:"Show who has which role."`
	Set    rolesSet    `cmd:"" help:"Replace who has which role by a file."`
	Add    rolesAdd    `cmd:"" help:"Give a role to groups or people."`
	Remove rolesRemove `cmd:"" help:"Take roles from groups or people."`
}

// Help says what the roles are.
func (rolesVerbs) Help() string {
	return `A viewer may read everything but the arguments of calls; an auditor those too; an admin may change everything. People have the highest role that is bound to them or to a group of theirs, from their next request on. The tokens of the token file have the role that the file says, whatever is bound here.`
}

// rolesText is the roles as JSON, which set reads as get writes it.
type rolesText struct {
	Version  int64         `json:"version"`
	SavedAt  *time.Time    `json:"saved_at,omitempty"`
	SavedBy  string        `json:"saved_by,omitempty"`
	Bindings []bindingText `json:"bindings"`
}

// bindingText is one binding. Name isn't read.
type bindingText struct {
	Role string `json:"role"`
	Who  string `json:"who"`
	Name string `json:"name,omitempty"`
}

// roleWords are the roles as people name them.
var roleWords = map[string]adminv1.Role{
	"viewer": adminv1.Role_ROLE_VIEWER, "auditor": adminv1.Role_ROLE_AUDITOR, "admin": adminv1.Role_ROLE_ADMIN,
}

func roleWord(role adminv1.Role) string {
	for word, known := range roleWords {
		if known == role {
			return word
		}
	}
	return "none"
}

func bindingTexts(bindings []*adminv1.RoleBinding) []bindingText {
	texts := []bindingText{}
	for _, b := range bindings {
		texts = append(texts, bindingText{roleWord(b.GetRole()), b.GetWho(), b.GetName()})
	}
	return texts
}

// readWho reads a group or person as rules write them; an e-mail address needs no "user:".
func readWho(who string) (string, error) {
	kind, name, found := strings.Cut(strings.TrimSpace(who), ":")
	switch {
	case found && strings.TrimSpace(name) != "" && (kind == "group" || kind == "user"):
		return kind + ":" + strings.TrimSpace(name), nil
	case !found && strings.Contains(who, "@"):
		return "user:" + kind, nil
	}
	return "", fmt.Errorf("%q is nobody: write group:NAME, an e-mail address, or user:ACCOUNT_ID", who)
}

type rolesGet struct {
	JSON bool `help:"One JSON object, which set reads: version, saved_at, saved_by, bindings." name:"json"`
}

// Help is the examples of --help.
func (rolesGet) Help() string {
	return `Examples:

  sallyport roles get
  sallyport roles get --json > roles.json`
}

// Run shows the roles.
func (g *rolesGet) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewAccessServiceClient(conn).GetRoles(ctx, &adminv1.GetRolesRequest{})
	if err != nil {
		return err
	}
	if g.JSON {
		text := rolesText{Version: answer.GetVersion(), SavedBy: answer.GetSavedBy(), Bindings: bindingTexts(answer.GetBindings())}
		if answer.GetSavedAt() != nil {
			at := answer.GetSavedAt().AsTime()
			text.SavedAt = &at
		}
		return writeJSON(t.out, text)
	}
	if answer.GetVersion() == 0 {
		t.printf("Nobody has a role yet, so only the tokens of the token file can be used. Give somebody one: sallyport roles add admin EMAIL\n")
		return nil
	}
	showBindings(t, answer.GetBindings())
	about := fmt.Sprintf("Version %d, saved %s.", answer.GetVersion(), byWhom(answer.GetSavedBy(), answer.GetSavedAt(), ""))
	t.printf("%s\n", t.paint(printable(about), faint))
	return nil
}

func showBindings(t *terminal, bindings []*adminv1.RoleBinding) {
	shown := table{columns: []column{{title: "ROLE"}, {title: "WHO", least: 16}, {title: "NAME", least: 8}}}
	for _, b := range bindings {
		shown.add(cell{text: roleWord(b.GetRole())}, cell{text: b.GetWho()}, cell{text: b.GetName()})
	}
	shown.write(t)
}

// rolesSave is how every change of the roles is saved.
type rolesSave struct {
	Message string `help:"Why, for the record." short:"m"`
	JSON    bool   `help:"Answer with one JSON object: version, bindings." name:"json"`
}

// run saves bindings and shows them.
func (s rolesSave) run(ctx context.Context, client adminv1.AccessServiceClient, t *terminal, base int64, bindings []*adminv1.RoleBinding) error {
	answer, err := client.SetRoles(ctx, &adminv1.SetRolesRequest{Bindings: bindings, BaseVersion: base, Message: s.Message})
	if err != nil {
		return err
	}
	if s.JSON {
		return writeJSON(t.out, rolesText{Version: answer.GetVersion(), Bindings: bindingTexts(answer.GetBindings())})
	}
	showBindings(t, answer.GetBindings())
	t.printf("Saved as version %d: it holds from everybody's next request on.\n", answer.GetVersion())
	return nil
}

type rolesSet struct {
	File string    `arg:"" help:"A file as roles get --json writes it; - for standard input. One that has a version is refused once another one is saved."`
	Save rolesSave `embed:""`
}

// Help is the examples of --help.
func (rolesSet) Help() string {
	return `Refused if nobody would be admin.

Examples:

  sallyport roles get --json > roles.json
  sallyport roles set roles.json --message "Support may read the log"
  echo '{"bindings":[{"role":"admin","who":"group:site-admins"}]}' | sallyport roles set -`
}

// Run saves what the file says.
func (s *rolesSet) Run(ctx context.Context, c *connection, t *terminal) error {
	sent, err := readRoles(s.File)
	if err != nil {
		return err
	}
	var bindings []*adminv1.RoleBinding
	for _, b := range sent.Bindings {
		who, err := readWho(b.Who)
		if err != nil {
			return answeredNo("%s: %v.", s.File, err)
		}
		bindings = append(bindings, &adminv1.RoleBinding{Role: roleWords[b.Role], Who: who})
	}
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	client := adminv1.NewAccessServiceClient(conn)
	base := sent.Version
	if base == 0 {
		saved, err := client.GetRoles(ctx, &adminv1.GetRolesRequest{})
		if err != nil {
			return err
		}
		base = saved.GetVersion()
	}
	return s.Save.run(ctx, client, t, base, bindings)
}

func readRoles(name string) (rolesText, error) {
	var text rolesText
	content, err := readInput(name)
	if err != nil {
		return text, advice("The roles can't be read: %w. Name a file, or - for standard input.", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&text)
	if err == nil && decoder.More() {
		err = errors.New("something follows the object")
	}
	if err != nil {
		return text, answeredNo("%s has no roles as `sallyport roles get --json` writes them: %v.", name, err)
	}
	for _, b := range text.Bindings {
		if roleWords[b.Role] == 0 {
			return text, answeredNo("%s has the role %q: it may be viewer, auditor or admin.", name, b.Role)
		}
	}
	return text, nil
}

type rolesAdd struct {
	Role string    `arg:"" enum:"viewer,auditor,admin" help:"viewer, auditor or admin."`
	Who  []string  `arg:"" help:"group:NAME or group:ID, an e-mail address, or user:ACCOUNT_ID."`
	Save rolesSave `embed:""`
	who  []string
}

// Help is the examples of --help.
func (rolesAdd) Help() string {
	return `Examples:

  sallyport roles add admin group:site-admins
  sallyport roles add auditor ana@acme.test --message "Looks into the incident"
  sallyport roles add viewer 'group:Support Team' bo@acme.test`
}

// Validate refuses names that can't be.
func (a *rolesAdd) Validate() (err error) {
	a.who, err = readAll(a.Who)
	return err
}

func readAll(names []string) ([]string, error) {
	var list []string
	for _, name := range names {
		who, err := readWho(name)
		if err != nil {
			return nil, err
		}
		list = append(list, who)
	}
	return list, nil
}

// Run adds bindings to those there are.
func (a *rolesAdd) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	client := adminv1.NewAccessServiceClient(conn)
	saved, err := client.GetRoles(ctx, &adminv1.GetRolesRequest{})
	if err != nil {
		return err
	}
	bindings := saved.GetBindings()
	for _, who := range a.who {
		bindings = append(bindings, &adminv1.RoleBinding{Role: roleWords[a.Role], Who: who})
	}
	return a.Save.run(ctx, client, t, saved.GetVersion(), bindings)
}

type rolesRemove struct {
	Who  []string  `arg:"" help:"group:NAME or group:ID, an e-mail address, or user:ACCOUNT_ID."`
	Role string    `enum:"viewer,auditor,admin," default:"" help:"Only this role." placeholder:"viewer|auditor|admin"`
	Save rolesSave `embed:""`
	who  []string
}

// Help is the examples of --help.
func (rolesRemove) Help() string {
	return `Refused if nobody would be admin.

Examples:

  sallyport roles remove ana@acme.test
  sallyport roles remove group:site-admins --role auditor`
}

// Validate refuses names that can't be.
func (r *rolesRemove) Validate() (err error) {
	r.who, err = readAll(r.Who)
	return err
}

// Run takes bindings from those there are.
func (r *rolesRemove) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	client := adminv1.NewAccessServiceClient(conn)
	saved, err := client.GetRoles(ctx, &adminv1.GetRolesRequest{})
	if err != nil {
		return err
	}
	left, err := r.without(saved.GetBindings())
	if err != nil {
		return err
	}
	return r.Save.run(ctx, client, t, saved.GetVersion(), left)
}

// without returns the bindings that stay. Who has none is most likely a slip.
func (r *rolesRemove) without(bindings []*adminv1.RoleBinding) ([]*adminv1.RoleBinding, error) {
	for _, who := range r.who {
		var left []*adminv1.RoleBinding
		for _, b := range bindings {
			named := strings.EqualFold(b.GetWho(), who) || b.GetName() != "" && strings.EqualFold("group:"+b.GetName(), who)
			if !named || r.Role != "" && r.Role != roleWord(b.GetRole()) {
				left = append(left, b)
			}
		}
		if len(left) == len(bindings) {
			return nil, answeredNo("%s has no such role: `sallyport roles get` shows who has which. Nothing was changed.", who)
		}
		bindings = left
	}
	return bindings, nil
}
