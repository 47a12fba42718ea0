package identity_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/internal/processtest"
)

const (
	// crowdSize is how many people are signed in.
	crowdSize = 100
	// askers is how many refreshes of each person are asked for at once, half of them at each replica.
	askers = 6
	// rounds is how often all refresh, each time with the token that the time before has brought.
	rounds = 3
)

// member is one of a crowd, who has an assistant.
type member struct {
	*assistant
	account string
	tokens  answer
}

// crowd signs people in whose Atlassian tokens are near their end.
func (f *fleet) crowd() []member {
	f.t.Helper()
	f.change("token_seconds", "60")
	members := make([]member, crowdSize)
	for i := range members {
		email := fmt.Sprintf("person%d@acme.test", i)
		f.change("people/"+email, fmt.Sprintf(`{"name":"Person %d"}`, i))
		members[i].assistant = f.connect("Codex")
		members[i].account, members[i].tokens = members[i].assistant.account(email)
	}
	f.change("token_seconds", "3600")
	return members
}

// refreshes is how often the stand-in was shown a refresh token of each account.
func (d *deployment) refreshes() map[string]int {
	d.t.Helper()
	response, err := http.Get(d.control + "/people")
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	var listed struct {
		People []struct {
			ID        string `json:"account_id"`
			Refreshes int
		}
	}
	err = json.NewDecoder(response.Body).Decode(&listed)
	if err != nil {
		d.t.Fatal(err)
	}
	counts := map[string]int{}
	for _, p := range listed.People {
		counts[p.ID] = p.Refreshes
	}
	return counts
}

// atOnce calls do for each of n, all at the same moment, and reports the errors.
func atOnce(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var wait sync.WaitGroup
	begin, failures := make(chan struct{}), make(chan error, n)
	for i := range n {
		wait.Go(func() {
			<-begin
			failures <- do(i)
		})
	}
	close(begin)
	wait.Wait()
	close(failures)
	shown := 0
	for err := range failures {
		if err == nil {
			continue
		}
		if shown++; shown <= 5 {
			t.Error(err)
		}
	}
	if shown > 0 {
		t.Errorf("%d of %d failed", shown, n)
	}
}

func TestHundredPeopleRefreshAtOnce(t *testing.T) {
	f := deployFleet(t)
	members := f.crowd()
	t.Run("at Atlassian", func(t *testing.T) { refreshedAtAtlassian(t, f, members) })
	t.Run("at Sallyport", func(t *testing.T) { refreshedAtSallyport(t, f, members) })
}

// refreshedAtAtlassian shows that each person is refreshed once however many ask, with the token that was
// stored last. Atlassian refuses a refresh token the second time, and the person would be signed out.
func refreshedAtAtlassian(t *testing.T, f *fleet, members []member) {
	var replicas [2]identityv1.UpstreamServiceClient
	for i, address := range f.grpc {
		replicas[i] = identityv1.NewUpstreamServiceClient(processtest.Dial(t, address))
	}
	for round := 1; round <= rounds; round++ {
		before := map[string]string{}
		for _, m := range members {
			known := f.upstream(m.account)
			if round > 1 {
				known.ExpiresAt = time.Now().Add(time.Minute)
				err := f.store.SaveUpstream(t.Context(), m.account, *known)
				if err != nil {
					t.Fatal(err)
				}
			}
			before[m.account] = f.upstream(m.account).Rev
		}
		atOnce(t, crowdSize*askers, func(i int) error {
			_, err := replicas[i%2].RefreshToken(t.Context(), &identityv1.RefreshTokenRequest{AccountId: members[i/askers].account})
			return err
		})
		counts := f.refreshes()
		for _, m := range members {
			after := f.upstream(m.account)
			if counts[m.account] != round || after.Rev == before[m.account] || time.Until(after.ExpiresAt) < 50*time.Minute {
				t.Errorf("round %d: %s was refreshed %d times and has %v left", round, m.account, counts[m.account], time.Until(after.ExpiresAt))
			}
			if !f.works(m.tokens.text("access_token")) {
				t.Errorf("round %d: %s is signed out", round, m.account)
			}
		}
	}
	t.Logf("%d people, %d requests each in each of %d rounds on two replicas, %d refreshes each", crowdSize, askers, rounds, rounds)
}

// refreshedAtSallyport has each assistant show its refresh token twice at the same moment, once at each
// replica, as two windows of one do. Both get tokens that work; one goes on with what it got.
func refreshedAtSallyport(t *testing.T, f *fleet, members []member) {
	answers := make([]answer, 2*crowdSize)
	atOnce(t, len(answers), func(i int) error {
		m := members[i/2]
		var err error
		answers[i], err = f.refreshAt(f.listen[i%2], m.id, m.tokens.text("refresh_token"))
		return err
	})
	for i, got := range answers {
		if !f.works(got.text("access_token")) {
			t.Errorf("an access token of %s doesn't work", members[i/2].account)
		}
	}
	// Which of the two answers the assistant goes on with, and where, is another one from person to person.
	atOnce(t, crowdSize, func(i int) error {
		got, err := f.refreshAt(f.listen[i/2%2], members[i].id, answers[2*i+i%2].text("refresh_token"))
		if err == nil && !f.works(got.text("access_token")) {
			err = fmt.Errorf("%s was signed out", members[i].account)
		}
		return err
	})
}

// refreshAt refreshes an assistant's tokens at one replica. Unlike an assistant's refresh it may be called in any
// goroutine.
func (d *deployment) refreshAt(listen, client, token string) (answer, error) {
	response, err := http.PostForm("http://"+listen+"/oauth/token", url.Values{
		"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {token},
	})
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	got := answer{status: response.StatusCode, header: response.Header}
	err = json.NewDecoder(response.Body).Decode(&got.body)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("refreshing: %d %s", got.status, got.text("error"))
	}
	return got, err
}

// TestLostAnswerToARefresh loses what Atlassian answers: the former token is used up, and the next one unknown.
// Nobody can go on with either, so the person is signed out, and nobody else.
func TestLostAnswerToARefresh(t *testing.T) {
	f := deployFleet(t)
	f.change("token_seconds", "60")
	a := f.connect("Codex")
	account, tokens := a.account("ana@acme.test")
	others, untouched := f.connect("Codex").account("bo@acme.test")
	f.change("lose_refresh", "1")
	if got := status.Code(f.refreshUpstream(f.grpc[0], account)); got != codes.Unavailable || !f.works(tokens.text("access_token")) {
		t.Errorf("the refresh whose answer is lost: %v", got)
	}
	if got := status.Code(f.refreshUpstream(f.grpc[1], account)); got != codes.FailedPrecondition || f.works(tokens.text("access_token")) {
		t.Errorf("the next one: %v", got)
	}
	if err := f.refreshUpstream(f.grpc[0], others); err != nil || !f.works(untouched.text("access_token")) {
		t.Errorf("another person: %v", err)
	}
	if !f.works(a.tokens("ana@acme.test").text("access_token")) {
		t.Error("the person can't sign in again")
	}
}
