import { Code } from "@mantine/core";
import type { ReactNode } from "react";
import { To } from "../parts/to";

type Trouble = { title: string; remedy: ReactNode };

/** What Atlassian is known to say, in its words, and what it means (docs/setup.md). */
export const atAtlassian: Trouble[] = [
  {
    title: "Your organization admin must authorize access from this redirect URL",
    remedy:
      "The callback URL isn't among Rovo's domains. Do what “Allow this domain in Rovo” says. The entry begins with https:// and matches the whole callback URL, or ends in /** after the host.",
  },
  {
    title: "Access to this domain is restricted. Your admin has blocked this domain",
    remedy:
      "The callback URL isn't among Rovo's domains. If it is, Rovo has passed it over: see “The domain is there, and people are refused all the same”.",
  },
  {
    title: "Incorrect request parameters",
    remedy:
      "Atlassian's general error. Mostly it means that the callback URL isn't among Rovo's domains: do what “Allow this domain in Rovo” says.",
  },
  {
    title: "The domain is there, and people are refused all the same",
    remedy:
      "Rovo is known to pass over entries. Delete it, add it again, save, wait a few minutes, and sign in from a private window.",
  },
  {
    title: "People end on Atlassian's page and never come back",
    remedy:
      "So it looks when the domain isn't allowed: Atlassian keeps people on its own page, and Sallyport sees only that they don't return. From three such sign-ins on, “Allow this domain in Rovo” says so.",
  },
  {
    title: "You don't have permission to connect from this IP address",
    remedy:
      "Your IP allowlist lacks Sallyport's address. In Atlassian Administration, under Security, IP allowlists, add the addresses from which Sallyport reaches the internet. On a page in the browser it is the person's own address.",
  },
  {
    title: "Your site admin must authorize this app",
    remedy:
      "The first sign-in on a site installs Atlassian's MCP app there. Have an admin of the site sign in first, or install the app.",
  },
  {
    title: "This app has requested scopes that have not been added to the app",
    remedy: (
      <>
        Sallyport asks for something that Atlassian doesn't give. Whoever runs it corrects{" "}
        <Code>--atlassian-scopes</Code> of identity.
      </>
    ),
  },
];

/** What goes wrong between assistants and Sallyport (docs/clients.md). */
export const atAssistants: Trouble[] = [
  {
    title: "Claude or ChatGPT can't reach the server",
    remedy:
      "They connect from their vendor's cloud. The MCP server URL has to be https:// and reachable from the internet, not from your network alone.",
  },
  {
    title: "Claude Code says “Needs authentication”",
    remedy: (
      <>
        It doesn't open the sign-in page by itself. Run <Code>claude mcp login sallyport</Code> at a terminal, or choose
        the server in <Code>/mcp</Code>.
      </>
    ),
  },
  {
    title: "The page says to remove the connection and add it again",
    remedy:
      "Sallyport has forgotten the assistant's registration, as it does when that wasn't used within a day. Remove Sallyport in the assistant and add it again.",
  },
  {
    title: "An assistant asks people to sign in again",
    remedy:
      "An admin disconnected them, or the assistant was away for longer than its token lasts and can't refresh it. Signing in again puts it right.",
  },
  {
    title: "The assistant says that a call was blocked",
    remedy: (
      <>
        A rule or the default decision did that, and the answer names it. The{" "}
        <To path="/log?decision=blocked">blocked calls</To> show each with its rule, and{" "}
        <To path="/policy">Access policy</To> changes it.
      </>
    ),
  },
  {
    title: "The assistant worked, and the activity log shows nothing",
    remedy: (
      <>
        It may still reach Rovo directly: remove Atlassian's own server from the assistant, and do the last step of
        “Allow this domain in Rovo”. Whether the log is behind shows under <To path="/settings">Settings</To>.
      </>
    ),
  },
  {
    title: "Rules about groups don't do what they say",
    remedy:
      "Sallyport learns groups from Jira. While it can't, rules that block a group block everybody, and rules that allow one allow nobody. “Complete the set-up” says what is missing.",
  },
];
