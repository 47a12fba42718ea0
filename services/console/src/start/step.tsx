import { Accordion, Group, Text, ThemeIcon } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef } from "react";
import { State, type Tone } from "../parts/state";

type Props = {
  id: string;
  number: number;
  title: string;
  done: boolean;
  tone: Tone;
  word: string;
  children: ReactNode;
};

/** A step of the way to the first call. */
export function Step({ id, number, title, done, tone, word, children }: Props) {
  const control = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  // Whether the focus is, or was until it closed, in the panel: by then what had it may be gone.
  const focused = useRef(false);
  useEffect(() => {
    // It closes when it is done, and what is in it then can't keep the focus.
    if (done && focused.current) control.current?.focus();
  }, [done]);
  return (
    <Accordion.Item value={id}>
      <Accordion.Control
        ref={control}
        icon={
          <ThemeIcon size="md" radius="xl" variant={done ? "light" : "default"} color="teal" aria-hidden>
            {done ? <IconCheck size={16} stroke={2} /> : <Text size="sm">{number}</Text>}
          </ThemeIcon>
        }
      >
        <Group justify="space-between" gap="xs" pr="sm">
          <Text fw={600}>{title}</Text>
          <State tone={tone}>{word}</State>
        </Group>
      </Accordion.Control>
      <Accordion.Panel
        ref={panel}
        onFocus={() => {
          focused.current = true;
        }}
        onBlur={() => {
          focused.current = panel.current?.contains(document.activeElement) ?? false;
        }}
      >
        {children}
      </Accordion.Panel>
    </Accordion.Item>
  );
}
