# The ten rules of the benchmark's policy, as somebody writes them for OPA: nine teams delete nothing, and
# everything else is allowed to whoever is known. What deletes is told by the tool's name alone, and the answer
# is yes or no.
package sallyport

default allow := false

allow if {
	person
	not denied
}

denied if { deletes; "team-0" in person.groups }
denied if { deletes; "team-1" in person.groups }
denied if { deletes; "team-2" in person.groups }
denied if { deletes; "team-3" in person.groups }
denied if { deletes; "team-4" in person.groups }
denied if { deletes; "team-5" in person.groups }
denied if { deletes; "team-6" in person.groups }
denied if { deletes; "team-7" in person.groups }
denied if { deletes; "team-8" in person.groups }

deletes if {
	input.parsed_body.method == "tools/call"
	startswith(input.parsed_body.params.name, "delete")
}

# Who calls by which assistant is looked up by the token.
person := data.people[trim_prefix(input.attributes.request.http.headers.authorization, "Bearer ")]
