import { Combobox, Pill, PillsInput, Text, useCombobox } from "@mantine/core";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import type { Offers } from "./offers";
import classes from "./picker.module.css";

/** How many of what is offered under a title are shown; typing narrows. */
const most = 30;

type Props = {
  /** What it is that is picked, for those who don't see where it is. */
  label: string;
  text: string;
  onText: (text: string) => void;
  groups: Offers;
  /** Whether what is offered is narrowed by the text. */
  narrow: boolean;
  onPick: (value: string) => void;
  /** Called by Enter where nothing of what is offered is chosen, and with what the text is by leaving. */
  onDone: (how: "enter" | "leave") => void;
  onCancel: () => void;
  onBackspace?: () => void;
  placeholder?: string;
  /** What was picked before, in front of the text. */
  pills?: ReactNode;
  /** What is said under what is offered. */
  note?: ReactNode;
  error?: boolean;
};

/** Picks something that exists, or takes what is typed. */
export function Picker(props: Props) {
  const combobox = useCombobox({ defaultOpened: true, onDropdownClose: () => combobox.resetSelectedOption() });
  const [typed, setTyped] = useState(false);
  const wanted = typed && props.narrow ? props.text.trim().toLowerCase() : "";
  const shown = props.groups
    .map(({ title, offers }) => ({ title, offers: offers.filter((offer) => matches(offer, wanted)) }))
    .filter(({ offers }) => offers.length > 0);

  const keys = (event: KeyboardEvent) => {
    if (event.key === "Enter" && combobox.getSelectedOptionIndex() === -1) {
      event.preventDefault();
      props.onDone("enter");
    } else if (event.key === "Escape") {
      event.stopPropagation();
      props.onCancel();
    } else if (event.key === "Backspace" && props.text === "") {
      props.onBackspace?.();
    }
  };

  return (
    <Combobox
      store={combobox}
      onOptionSubmit={props.onPick}
      withinPortal={false}
      position="bottom-start"
      width={340}
      shadow="md"
    >
      <Combobox.DropdownTarget>
        <PillsInput size="sm" error={props.error} onClick={() => combobox.openDropdown()} className={classes.input}>
          <Pill.Group gap={4}>
            {props.pills}
            <Combobox.EventsTarget withExpandedAttribute>
              <PillsInput.Field
                autoFocus
                aria-label={props.label}
                value={props.text}
                placeholder={props.placeholder}
                spellCheck={false}
                onChange={(event) => {
                  setTyped(true);
                  combobox.openDropdown();
                  combobox.resetSelectedOption();
                  props.onText(event.currentTarget.value);
                }}
                onFocus={(event) => event.currentTarget.select()}
                onKeyDown={keys}
                onBlur={() => props.onDone("leave")}
              />
            </Combobox.EventsTarget>
          </Pill.Group>
        </PillsInput>
      </Combobox.DropdownTarget>
      {/* Reading or scrolling what is offered isn't leaving. */}
      <Combobox.Dropdown onMouseDown={(event) => event.preventDefault()}>
        <Combobox.Options className={classes.options} aria-label={props.label}>
          {shown.map(({ title, offers }) => (
            <Combobox.Group key={title} label={title}>
              {offers.slice(0, most).map(({ value, label = value, detail }) => (
                <Combobox.Option key={value} value={value} className={classes.option}>
                  <span className={classes.name}>{label}</span>
                  {detail && <span className={classes.detail}>{detail}</span>}
                </Combobox.Option>
              ))}
            </Combobox.Group>
          ))}
          {shown.length === 0 && (
            <Combobox.Empty>Nothing known is like this. Enter takes what you typed.</Combobox.Empty>
          )}
        </Combobox.Options>
        {props.note && (
          <Combobox.Footer>
            <Text component="div" size="xs" c="dimmed">
              {props.note}
            </Text>
          </Combobox.Footer>
        )}
      </Combobox.Dropdown>
    </Combobox>
  );
}

function matches({ value, label = value, detail = "" }: Offers[number]["offers"][number], wanted: string): boolean {
  return [value, label, detail].some((text) => text.toLowerCase().includes(wanted));
}
