package switches

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"sallyport/tools/atlassian/journal"
	"sallyport/tools/atlassian/site"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 64 << 10

// Config says what the interface works on.
type Config struct {
	Switches *Switches
	Site     *site.Site
	Journal  *journal.Journal
	Tools    Tools
	// ExpireTokens and RevokeRefresh end all tokens given so far.
	ExpireTokens, RevokeRefresh func()
	// Issued are all codes and tokens that were ever given.
	Issued func() []string
	// Refreshes is how often a refresh token of an account was presented.
	Refreshes func(accountID string) int
}

type api struct{ Config }

// Handler returns the interface of the second listener. Whoever reaches it may do everything.
func Handler(c Config) http.Handler {
	a := api{c}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /{$}", a.list)
	mux.HandleFunc("PATCH /{$}", a.patch)
	mux.HandleFunc("PUT /{name}", a.put)
	mux.HandleFunc("POST /reset", a.reset)
	mux.HandleFunc("GET /people", a.people)
	mux.HandleFunc("PUT /people/{email}", a.addPerson)
	mux.HandleFunc("PUT /people/{email}/groups", a.setGroups)
	mux.HandleFunc("PUT /people/{email}/sites", a.setSites)
	mux.HandleFunc("PUT /tools/{name}", a.setTool)
	mux.HandleFunc("DELETE /tools/{name}", a.removeTool)
	mux.HandleFunc("GET /calls", a.calls)
	mux.HandleFunc("GET /issued", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, a.Issued()) })
	mux.HandleFunc("DELETE /calls", func(w http.ResponseWriter, _ *http.Request) {
		a.Journal.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// actions are switches that have no state: {"expire_tokens": true} does it once.
func (a api) actions() map[string]func() {
	return map[string]func(){"expire_tokens": a.ExpireTokens, "revoke_refresh": a.RevokeRefresh}
}

type listed struct {
	Name    string `json:"name"`
	Value   any    `json:"value"`
	Meaning string `json:"meaning"`
}

func (a api) list(w http.ResponseWriter, _ *http.Request) {
	current := map[string]json.RawMessage{}
	text, err := json.Marshal(a.Switches.Values())
	if err == nil {
		err = json.Unmarshal(text, &current)
	}
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
		return
	}
	var all []listed
	for _, m := range meanings {
		all = append(all, listed{m.name, current[m.name], m.meaning})
	}
	all = append(all,
		listed{"expire_tokens", nil, "Set to true: all access tokens given so far are refused from now on."},
		listed{"revoke_refresh", nil, "Set to true: all refresh tokens given so far are refused from now on."})
	answer(w, http.StatusOK, map[string]any{
		"values": current, "switches": all,
		"how": `PATCH / with {"slow":500,"expire_tokens":true}, or PUT /slow with 500; POST /reset puts all back, POST /reset?site=true the site's content too; GET /people, PUT /people/{email} with {"name":"..."} adds one, PUT /people/{email}/groups with ["developers"], PUT /people/{email}/sites with ["acme.atlassian.net"]; PUT /tools/{name} with {"description":"..."}, DELETE /tools/{name}; GET /calls?since=N, DELETE /calls; GET /issued, the codes and tokens that were given.`,
	})
}

func (a api) patch(w http.ResponseWriter, r *http.Request) {
	var given map[string]json.RawMessage
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&given); err != nil {
		refuse(w, fmt.Errorf("the body must be a JSON object of switches: %w", err))
		return
	}
	a.change(w, r, given)
}

func (a api) put(w http.ResponseWriter, r *http.Request) {
	var value json.RawMessage
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&value); err != nil {
		refuse(w, fmt.Errorf("the body must be the switch's value as JSON: %w", err))
		return
	}
	a.change(w, r, map[string]json.RawMessage{r.PathValue("name"): value})
}

func (a api) change(w http.ResponseWriter, r *http.Request, given map[string]json.RawMessage) {
	var run []func()
	err := a.Switches.change(func(v *Values) error {
		for name, value := range given {
			if action, ok := a.actions()[name]; ok {
				if string(value) != "true" {
					return fmt.Errorf("%s is something to do: set it to true", name)
				}
				run = append(run, action)
				continue
			}
			if err := set(v, name, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		refuse(w, err)
		return
	}
	for _, action := range run {
		action()
	}
	a.list(w, r)
}

// set writes one switch by its JSON name.
func set(v *Values, name string, value json.RawMessage) error {
	fields := reflect.ValueOf(v).Elem()
	for i := range fields.NumField() {
		if fields.Type().Field(i).Tag.Get("json") != name {
			continue
		}
		fresh := reflect.New(fields.Field(i).Type())
		if err := json.Unmarshal(value, fresh.Interface()); err != nil {
			return fmt.Errorf("switch %s: %w", name, err)
		}
		fields.Field(i).Set(fresh.Elem())
		return nil
	}
	return fmt.Errorf("there is no switch %q; GET / lists them", name)
}

func (a api) reset(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("site") == "true" {
		if err := a.Site.Reset(); err != nil {
			refuse(w, err)
			return
		}
	}
	a.Site.ResetGroups()
	a.Tools.Reset()
	err := a.Switches.change(func(v *Values) error {
		*v = Defaults()
		return nil
	})
	if err != nil {
		refuse(w, err)
		return
	}
	a.list(w, r)
}

type person struct {
	Email     string       `json:"email"`
	Name      string       `json:"name"`
	AccountID string       `json:"account_id"`
	Groups    []site.Group `json:"groups"`
	Sites     []string     `json:"sites"`
	Refreshes int          `json:"refreshes"`
}

func (a api) people(w http.ResponseWriter, _ *http.Request) {
	all := []person{}
	for _, p := range a.Site.People() {
		all = append(all, a.person(p))
	}
	answer(w, http.StatusOK, map[string]any{"people": all})
}

func (a api) person(p site.Person) person {
	return person{p.Email, p.Name, p.AccountID, p.Groups, p.Sites, a.Refreshes(p.AccountID)}
}

func (a api) addPerson(w http.ResponseWriter, r *http.Request) {
	var added struct{ Name string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&added); err != nil || added.Name == "" {
		refuse(w, fmt.Errorf(`the body must be a name, such as {"name":"Di Dorn"}`))
		return
	}
	answer(w, http.StatusOK, a.person(a.Site.AddPerson(r.PathValue("email"), added.Name)))
}

func (a api) setGroups(w http.ResponseWriter, r *http.Request) {
	var names []string
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&names); err != nil {
		refuse(w, fmt.Errorf(`the body must be group names such as ["developers"]: %w`, err))
		return
	}
	p, err := a.Site.SetGroups(r.PathValue("email"), names)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, a.person(p))
}

func (a api) setSites(w http.ResponseWriter, r *http.Request) {
	var hosts []string
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&hosts); err != nil {
		refuse(w, fmt.Errorf(`the body must be host names such as ["acme.atlassian.net"]: %w`, err))
		return
	}
	p, err := a.Site.SetSites(r.PathValue("email"), hosts)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, a.person(p))
}

func (a api) calls(w http.ResponseWriter, r *http.Request) {
	since := 0
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = strconv.Atoi(text); err != nil {
			refuse(w, fmt.Errorf("since is the number of a call: %w", err))
			return
		}
	}
	calls, last := a.Journal.Since(since)
	answer(w, http.StatusOK, map[string]any{"calls": calls, "last": last})
}

func refuse(w http.ResponseWriter, err error) {
	answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The caller may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
