import { Tabs, Text } from "@mantine/core";
import { useSearchParams } from "react-router";
import { ChatGPT, Claude, ClaudeCode, Cursor, Others, VSCode } from "./instructions";

const assistants = [
  { key: "claude", name: "Claude", Instructions: Claude },
  { key: "claude-code", name: "Claude Code", Instructions: ClaudeCode },
  { key: "chatgpt", name: "ChatGPT", Instructions: ChatGPT },
  { key: "cursor", name: "Cursor", Instructions: Cursor },
  { key: "vscode", name: "VS Code", Instructions: VSCode },
  { key: "others", name: "Others", Instructions: Others },
];

/** How each assistant is given Sallyport's address. The one that is shown is in the page's address. */
export function Assistants({ url }: { url: string }) {
  const [parameters, setParameters] = useSearchParams();
  const chosen = assistants.find(({ key }) => key === parameters.get("assistant"))?.key ?? "claude";
  const choose = (key: string | null) =>
    setParameters(
      (before) => {
        const after = new URLSearchParams(before);
        after.set("assistant", key ?? "claude");
        return after;
      },
      { replace: true, preventScrollReset: true },
    );
  return (
    <>
      <Tabs value={chosen} onChange={choose} keepMounted={false} variant="pills">
        <Tabs.List aria-label="Assistant">
          {assistants.map(({ key, name }) => (
            <Tabs.Tab key={key} value={key} px="sm" py={6}>
              {name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {assistants.map(({ key, Instructions }) => (
          <Tabs.Panel key={key} value={key} pt="md">
            <Instructions url={url} />
          </Tabs.Panel>
        ))}
      </Tabs>
      <Text size="sm" c="dimmed" mt="md">
        Each person signs in with their own Atlassian account, and their assistant may do at most what they may.
      </Text>
    </>
  );
}
