import { CloseButton, Kbd, TextInput } from "@mantine/core";
import { useDebouncedCallback, useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import classes from "./filters.module.css";

type Props = { value: string; placeholder: string; onSearch: (query: string) => void };

/** The one box. What is typed is searched for a moment after the last key. */
export function SearchBox({ value, placeholder, onSearch }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const sent = useRef(value);
  const [typed, setTyped] = useState(value);
  const send = useDebouncedCallback((query: string) => {
    sent.current = query.trim();
    onSearch(query);
  }, 300);
  useHotkeys([["/", () => input.current?.focus()]]);
  // The address changed otherwise, as by the browser's back.
  useEffect(() => {
    if (value !== sent.current) setTyped(value);
    sent.current = value;
  }, [value]);

  function type(query: string) {
    setTyped(query);
    send(query);
  }
  return (
    <TextInput
      ref={input}
      className={classes.search}
      type="search"
      aria-label="Search"
      aria-keyshortcuts="/"
      placeholder={placeholder}
      value={typed}
      onChange={(event) => type(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape" && typed) {
          event.stopPropagation();
          type("");
        }
        if (event.key === "Enter" || event.key === "ArrowDown") document.getElementById("records")?.focus();
      }}
      leftSection={<IconSearch size={16} stroke={1.6} aria-hidden />}
      rightSection={
        typed ? (
          <CloseButton size="sm" aria-label="Clear the search" onClick={() => type("")} />
        ) : (
          <Kbd size="xs" aria-hidden>
            /
          </Kbd>
        )
      }
    />
  );
}
