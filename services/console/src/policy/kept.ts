import { begin, type Document, type Draft, type Saved } from "./draft";

// In the browser's tab, so that a session that ends, or a page that is loaded again, doesn't lose what isn't saved.
const key = (who: string) => `sallyport-policy-draft:${who}`;

/** Keeps somebody's draft in the tab. */
export function keep(who: string, { base, now }: Draft): void {
  const version = String(base.version);
  sessionStorage.setItem(key(who), JSON.stringify({ version, document: base.document, now }));
}

/** Forgets the draft that is kept for somebody. */
export function forget(who: string): void {
  sessionStorage.removeItem(key(who));
}

/** The draft that was kept for somebody; null where none is. */
export function kept(who: string): Draft | null {
  const text = sessionStorage.getItem(key(who));
  if (!text) return null;
  const { version, document, now } = JSON.parse(text) as {
    version: string;
    document: Saved["document"];
    now: Document;
  };
  return begin({ version: BigInt(version), document }, now);
}
