package rest

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sallyport/tools/atlassian/site"
)

// defaultPage is the size of a page of groups or members when the caller doesn't say.
const defaultPage = 50

func group(g site.Group) map[string]any {
	return map[string]any{"groupId": g.ID, "name": g.Name, "self": site.URL + "/rest/api/3/group?groupId=" + g.ID}
}

func groups(all []site.Group) []map[string]any {
	list := []map[string]any{}
	for _, g := range all {
		list = append(list, group(g))
	}
	return list
}

func (a api) userGroups(w http.ResponseWriter, r *http.Request) {
	person, ok := a.Site.Person(r.URL.Query().Get("accountId"))
	if !ok {
		jiraError(w, http.StatusNotFound, "Specified user does not exist or you do not have required permissions")
		return
	}
	answer(w, http.StatusOK, groups(person.Groups))
}

// page answers Jira's PageBean.
func page(w http.ResponseWriter, r *http.Request, all []map[string]any) {
	start, size, err := paging(r.URL.Query())
	if err != nil {
		jiraError(w, http.StatusBadRequest, err.Error())
		return
	}
	low := min(start, len(all))
	high := min(low+size, len(all))
	body := map[string]any{
		"self": site.URL + r.URL.RequestURI(), "maxResults": size, "startAt": start, "total": len(all),
		"isLast": high == len(all), "values": all[low:high],
	}
	if high < len(all) {
		next := r.URL.Query()
		next.Set("startAt", strconv.Itoa(high))
		body["nextPage"] = site.URL + r.URL.Path + "?" + next.Encode()
	}
	answer(w, http.StatusOK, body)
}

func paging(q url.Values) (start, size int, err error) {
	size = defaultPage
	for name, into := range map[string]*int{"startAt": &start, "maxResults": &size} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		if *into, err = strconv.Atoi(text); err != nil || *into < 0 {
			return 0, 0, fmt.Errorf("%s must be a number, 0 or more", name)
		}
	}
	return start, size, nil
}

func (a api) groupBulk(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list := []map[string]any{}
	for _, g := range site.Groups {
		asked := len(q["groupId"])+len(q["groupName"]) > 0
		if !asked || slices.Contains(q["groupId"], g.ID) || slices.Contains(q["groupName"], g.Name) {
			list = append(list, map[string]any{"groupId": g.ID, "name": g.Name})
		}
	}
	page(w, r, list)
}

func (a api) groupMembers(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	is := func(g site.Group) bool { return g.ID == q.Get("groupId") || g.Name == q.Get("groupname") }
	if !slices.ContainsFunc(site.Groups, is) {
		jiraError(w, http.StatusNotFound, "The group was not found.")
		return
	}
	list := []map[string]any{}
	for _, p := range a.Site.People() {
		if slices.ContainsFunc(p.Groups, is) {
			list = append(list, user(p))
		}
	}
	page(w, r, list)
}

func (a api) groupPicker(w http.ResponseWriter, r *http.Request) {
	wanted := strings.ToLower(r.URL.Query().Get("query"))
	list := []map[string]any{}
	for _, g := range site.Groups {
		at := strings.Index(g.Name, wanted)
		if at < 0 {
			continue
		}
		marked := html.EscapeString(g.Name)
		if wanted != "" {
			marked = html.EscapeString(g.Name[:at]) + "<b>" + html.EscapeString(wanted) + "</b>" + html.EscapeString(g.Name[at+len(wanted):])
		}
		list = append(list, map[string]any{"groupId": g.ID, "name": g.Name, "html": marked, "labels": []string{}})
	}
	answer(w, http.StatusOK, map[string]any{
		"header": fmt.Sprintf("Showing %d of %d matching groups", len(list), len(list)), "total": len(list), "groups": list,
	})
}

func user(p site.Person) map[string]any {
	return map[string]any{
		"self": site.URL + "/rest/api/3/user?accountId=" + url.QueryEscape(p.AccountID), "accountId": p.AccountID,
		"accountType": "atlassian", "emailAddress": p.Email, "displayName": p.Name, "active": true, "timeZone": "Europe/Berlin",
	}
}

// myself is the service account: who asks here never is a person.
func (a api) myself(w http.ResponseWriter, r *http.Request) {
	body := user(site.Person{AccountID: "712020:00000000-0000-4000-8000-73616c6c7970", Email: ServiceEmail, Name: "Sallyport Service"})
	if strings.Contains(r.URL.Query().Get("expand"), "groups") {
		all := groups(site.Groups[len(site.Groups)-1:])
		body["groups"] = map[string]any{"size": len(all), "items": all}
	}
	answer(w, http.StatusOK, body)
}
