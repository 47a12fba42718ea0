package rovo

import (
	"strconv"
	"strings"

	"sallyport/tools/atlassian/site"
)

func getContent(c call) (any, error) {
	p, err := c.site.Content(c.text("content_id"))
	if err != nil {
		return nil, err
	}
	return c.page(p, true), nil
}

func listContent(c call) (any, error) {
	found, err := c.site.Contents(c.text("space"), c.text("parent"))
	list := []any{}
	for _, p := range found {
		if kind := c.text("contentType"); kind == "" || kind == p.Type {
			list = append(list, c.page(p, false))
		}
	}
	return map[string]any{"results": list}, err
}

func listAncestors(c call) (any, error) {
	p, err := c.site.Content(c.text("content_id"))
	list := []any{}
	for err == nil && p.Parent != "" {
		if p, err = c.site.Content(p.Parent); err == nil {
			list = append([]any{map[string]any{"id": p.ID, "title": p.Title, "type": p.Type}}, list...)
		}
	}
	return map[string]any{"results": list}, err
}

func listVersions(c call) (any, error) {
	p, err := c.site.Content(c.text("content_id"))
	list := []any{}
	for _, v := range p.Versions {
		list = append(list, map[string]any{"number": v.Number, "message": v.Message, "authorId": v.Author, "createdAt": stamp(v.At)})
	}
	return map[string]any{"results": list}, err
}

// searchContent pages by a cursor that is the number of the first result.
func searchContent(c call) (any, error) {
	found, err := c.site.SearchContent(c.person.AccountID, c.text("cql"))
	if err != nil {
		return nil, err
	}
	start := 0
	if cursor := c.text("cursor"); cursor != "" {
		if start, err = strconv.Atoi(cursor); err != nil || start < 0 {
			return nil, &site.Error{Status: 400, Messages: []string{"The cursor is invalid."}}
		}
	}
	low := min(start, len(found))
	high := min(low+c.number("limit", defaultResults, maxResults), len(found))
	list := []any{}
	for _, p := range found[low:high] {
		list = append(list, map[string]any{
			"content": c.page(p, false), "title": p.Title, "excerpt": excerpt(p.Body), "url": webui(p),
			"lastModified": stamp(p.Current().At), "entityType": "content",
		})
	}
	links := map[string]any{"base": site.URL + "/wiki"}
	if high < len(found) {
		links["next"] = strconv.Itoa(high)
	}
	return map[string]any{"results": list, "start": low, "size": len(list), "totalSize": len(found), "_links": links}, nil
}

// excerpt is the beginning of a text.
func excerpt(text string) string {
	const length = 160
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= length {
		return string(runes)
	}
	return string(runes[:length]) + "…"
}

func createContent(c call) (any, error) {
	n := site.NewContent{Type: c.text("contentType"), Title: c.text("title"), Body: c.text("body"), Space: c.text("space"), Parent: c.text("parent")}
	if n.Type == "" {
		n.Type = "page"
	}
	p, err := c.site.CreateContent(c.person.AccountID, n)
	if err != nil {
		return nil, err
	}
	return c.page(p, true), nil
}

func updateContent(c call) (any, error) {
	p, err := c.site.UpdateContent(c.person.AccountID, c.text("content_id"), c.text("title"), c.text("body"), c.text("versionMessage"))
	if err != nil {
		return nil, err
	}
	return c.page(p, true), nil
}

func listSpaces(c call) (any, error) {
	list := []any{}
	for _, s := range c.site.Spaces(c.list("keys")...) {
		list = append(list, space(s))
	}
	return map[string]any{"results": list}, nil
}

func getSpace(c call) (any, error) {
	for _, s := range c.site.Spaces() {
		if wanted := c.text("space"); s.ID == wanted || strings.EqualFold(s.Key, wanted) {
			return space(s), nil
		}
	}
	return nil, &site.Error{Status: 404, Messages: []string{"No space with key or id : " + c.text("space")}}
}

func putContentComment(c call) (any, error) {
	comment, err := c.site.PutContentComment(c.person.AccountID, c.text("content_id"), c.text("commentId"), c.text("body"))
	if err != nil {
		return nil, err
	}
	return c.comment(comment), nil
}

// listContentComments has no inline comments to show: all comments of the site are footer comments.
func listContentComments(c call) (any, error) {
	p, err := c.site.Content(c.text("content_id"))
	if c.text("location") == "inline" {
		p.Comments = nil
	}
	return map[string]any{"results": c.comments(p.Comments)}, err
}

func labelContent(c call) (any, error) {
	p, err := c.site.LabelContent(c.text("content_id"), c.list("labels"))
	return map[string]any{"id": p.ID, "labels": nonNil(p.Labels)}, err
}
