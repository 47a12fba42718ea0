import { Accordion, Code, Stack, Text, Title } from "@mantine/core";
import { atAssistants, atAtlassian } from "./troubles";

/** What to do about what goes wrong. The MCP server URL is undefined while it isn't known. */
export function Troubleshooting({ url }: { url?: string }) {
  return (
    <Stack gap="md" component="section" aria-labelledby="troubleshooting">
      <Title order={2} id="troubleshooting">
        If something doesn't work
      </Title>
      <Troubles title="Atlassian says" troubles={atAtlassian} />
      <Troubles title="With an assistant" troubles={atAssistants} />
      <Text size="sm" c="dimmed">
        Anything else: run <Code>{`sallyport doctor${url ? ` --mcp-url ${url}` : ""}`}</Code> on a computer for which it
        doesn't work. It looks at the name, the port, the certificate and each part, and says what to do.
      </Text>
    </Stack>
  );
}

function Troubles({ title, troubles }: { title: string; troubles: typeof atAtlassian }) {
  return (
    <div>
      <Title order={3} fz="sm" c="dimmed" fw={500} mb={4}>
        {title}
      </Title>
      <Accordion order={4} chevronSize={14}>
        {/* The values become ids, which have no blanks. */}
        {troubles.map(({ title, remedy }) => (
          <Accordion.Item key={title} value={title.replace(/\W+/g, "-")}>
            <Accordion.Control px={0}>
              <Text size="sm">{title}</Text>
            </Accordion.Control>
            <Accordion.Panel>
              <Text size="sm" c="dimmed">
                {remedy}
              </Text>
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </div>
  );
}
