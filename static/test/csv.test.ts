/** CSV as cells: offsets, quotes, the smallest edits, and begins of records that are kept while the text changes. */

import { ChangeSet, Text, type ChangeSpec } from "@codemirror/state";
import { describe, expect, test } from "vitest";

import { cellsOf, columnName, delimiterOf, merged, splice, written } from "../src/csv/cells.ts";
import { Records } from "../src/csv/records.ts";
import { pasted, Sheet } from "../src/csv/sheet.ts";

const values = (record: string, delimiter = ","): string[] => cellsOf(record, delimiter).map(({ value }) => value);
const textOf = (words: string): Text => Text.of(words.split("\n"));

describe("cells", () => {
  test("a record is split at its delimiters, empty cells included", () => {
    expect(values("a,b,,c")).toEqual(["a", "b", "", "c"]);
    expect(values("")).toEqual([""]);
    expect(values(",")).toEqual(["", ""]);
  });

  test("in quotes a delimiter, a line end and a doubled quote are text", () => {
    expect(values('"a,b","c ""d""","e\nf",g')).toEqual(["a,b", 'c "d"', "e\nf", "g"]);
    expect(values('"",x')).toEqual(["", "x"]);
  });

  test("offsets are those of the record, quotes included", () => {
    expect(cellsOf('a,"b,c",d', ",").map(({ from, to }) => [from, to])).toEqual([[0, 1], [2, 7], [8, 9]]);
  });

  test("a quote inside an unquoted cell is text", () => {
    expect(values('5" pipe,x')).toEqual(['5" pipe', "x"]);
  });

  test("broken quoting is shown as it is and said", () => {
    const [first] = cellsOf('"open,b', ",");
    expect(first).toMatchObject({ value: '"open,b', broken: true });
    expect(cellsOf('"a"b,c', ",").map(({ value, broken }) => [value, broken])).toEqual([['"a"b', true], ["c", false]]);
  });

  test("a value gets quotes where it needs them, and keeps those that it had", () => {
    expect(written("a,b", ",")).toBe('"a,b"');
    expect(written("a,b", ";")).toBe("a,b");
    expect(written('say "x"', ",")).toBe('"say ""x"""');
    expect(written("two\nlines", ",")).toBe('"two\nlines"');
    expect(written("plain", ",", '"old"')).toBe('"plain"');
    expect(written("plain", ",", "old")).toBe("plain");
  });

  test("what is written is read back, whatever it is", () => {
    const parts = ["", "a", ",", '"', "\n", "é", "👩‍🚀", "''", ";", " "];
    for (const one of parts) {
      for (const two of parts) {
        const wanted = [one + two, two, one];
        expect(values(wanted.map((value) => written(value, ",")).join(","))).toEqual(wanted);
      }
    }
  });
});

describe("edits", () => {
  test("only what differs is replaced", () => {
    expect(splice("hello world", "hello brave world")).toEqual({ from: 6, to: 6, insert: "brave " });
    expect(splice("same", "same")).toBeNull();
    expect(splice("aaa", "aa")).toEqual({ from: 2, to: 3, insert: "" });
  });

  test("surrogate pairs stay whole", () => {
    // 😀 and 😁 share their first half, 😀 and 🐀 share their second one.
    for (const [before, after] of [["x😀", "x😁"], ["😀", "🐀"], ["a😀b", "a😁b"]] as const) {
      const found = splice(before, after);
      expect(found).not.toBeNull();
      const { from, to, insert } = found ?? { from: 0, to: 0, insert: "" };
      expect(before.slice(0, from) + insert + before.slice(to)).toBe(after);
      expect(insert).toMatch(/^(?:[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\uD800-\uDFFF])*$/);
    }
  });

  test("two people's changes of one cell are both kept", () => {
    expect(merged("cost", "cost 5", "the cost")).toBe("the cost 5");
    expect(merged("10", "12", "10")).toBe("12");
    expect(merged("10", "10", "13")).toBe("13");
    const both = merged("x", "xA", "xB");
    expect([...both].sort().join("")).toBe("ABx");
  });
});

describe("the delimiter", () => {
  test("is the one that splits evenly", () => {
    expect(delimiterOf(["a;b;c", "1,5;2;3", "2,5;3;4"])).toBe(";");
    expect(delimiterOf(["a\tb", "1\t2"])).toBe("\t");
    expect(delimiterOf(["a|b|c", "d|e|f"])).toBe("|");
  });

  test("is a comma when nothing says otherwise", () => {
    expect(delimiterOf(["only words", "more"])).toBe(",");
    expect(delimiterOf([])).toBe(",");
  });
});

describe("records", () => {
  const all = (words: string): string[] => {
    const records = new Records(textOf(words), ",");
    return Array.from({ length: records.length }, (_, row) => records.record(row));
  };

  test("a line end ends a record, but not in quotes", () => {
    expect(all('a,b\n"c\nd",e\nf')).toEqual(["a,b", '"c\nd",e', "f"]);
  });

  test("a line end at the end begins no record, empty lines are records", () => {
    expect(all("a\n")).toEqual(["a"]);
    expect(all("a\n\nb\n\n")).toEqual(["a", "", "b", ""]);
    expect(all("")).toEqual([]);
  });

  test("a quote that is never closed is found", () => {
    const records = new Records(textOf('a\n"b\nc\n'), ",");
    expect(records.length).toBe(2);
    expect(records.open).toBe(2);
    expect(records.record(1)).toBe('"b\nc\n');
  });

  test("after any change they are as if read anew", () => {
    // A fixed linear congruential generator: the same edits in every run.
    let seed = 20261122;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    const pieces = ["a", ",", "\n", '"', '""', "x,y\nz", "word", '"q\nr"', ""];
    for (let round = 0; round < 60; round += 1) {
      let text = textOf(Array.from({ length: 8 }, () => pieces[random(pieces.length)]).join(""));
      const records = new Records(text, ",");
      for (let step = 0; step < 25; step += 1) {
        const from = random(text.length + 1);
        const to = Math.min(text.length, from + random(4));
        const changes = ChangeSet.of({ from, to, insert: textOf(pieces[random(pieces.length)] ?? "") }, text.length);
        text = changes.apply(text);
        records.update(changes, text);
        const anew = new Records(text, ",");
        const [found, wanted] = [records, anew].map((each) => [each.open, ...Array.from({ length: each.length }, (_, row) => each.range(row).from)]);
        expect(found, JSON.stringify(text.toString())).toEqual(wanted);
      }
    }
  });

  test("the record of an offset is found", () => {
    const records = new Records(textOf("ab\ncd\nef"), ",");
    expect([0, 2, 3, 7, 8].map((offset) => records.at(offset))).toEqual([0, 0, 1, 2, 2]);
    expect(new Records(textOf(""), ",").at(0)).toBe(-1);
  });
});

test("columns have letters", () => {
  expect([0, 25, 26, 27, 701, 702].map(columnName)).toEqual(["A", "Z", "AA", "AB", "ZZ", "AAA"]);
});

describe("a sheet", () => {
  const sheetOf = (words: string): Sheet => new Sheet(textOf(words));
  const after = (sheet: Sheet, changes: ChangeSpec | null): string =>
    changes === null ? sheet.text.toString() : ChangeSet.of(changes, sheet.text.length).apply(sheet.text).toString();

  test("an edit replaces only what differs in its cell", () => {
    const sheet = sheetOf('a,"b c",d\n1,2,3\n');
    expect(sheet.edit({ row: 0, column: 1 }, "b x c")).toEqual({ from: 5, to: 5, insert: "x " });
    expect(sheet.edit({ row: 1, column: 2 }, "3")).toBeNull();
    expect(after(sheet, sheet.edit({ row: 1, column: 1 }, "2,5"))).toBe('a,"b c",d\n1,"2,5",3\n');
  });

  test("a short row is filled up to the cell, and a row is made where there is none", () => {
    const sheet = sheetOf("a,b,c\n1");
    expect(after(sheet, sheet.edit({ row: 1, column: 2 }, "x"))).toBe("a,b,c\n1,,x");
    expect(after(sheet, sheet.edit({ row: 2, column: 1 }, "y"))).toBe("a,b,c\n1\n,y\n");
    expect(after(sheet, sheet.edit({ row: 1, column: 2 }, ""))).toBe("a,b,c\n1");
  });

  test("rows come and go, the last one too", () => {
    const sheet = sheetOf("a,b\n1,2\n3,4");
    expect(after(sheet, sheet.insertRow(1))).toBe("a,b\n,\n1,2\n3,4");
    expect(after(sheet, sheet.insertRow(3))).toBe("a,b\n1,2\n3,4\n,\n");
    expect(after(sheet, sheet.deleteRows(0, 0))).toBe("1,2\n3,4");
    expect(after(sheet, sheet.deleteRows(2, 2))).toBe("a,b\n1,2");
    expect(after(sheet, sheet.deleteRows(0, 2))).toBe("");
    const ended = sheetOf("a\nb\n");
    expect(after(ended, ended.deleteRows(1, 1))).toBe("a\n");
  });

  test("columns come and go in every row that has them", () => {
    const sheet = sheetOf('a,b,c\n1,"2,2",3\n4\n');
    expect(after(sheet, sheet.insertColumn(1))).toBe('a,,b,c\n1,,"2,2",3\n4,\n');
    expect(after(sheet, sheet.insertColumn(3))).toBe('a,b,c,\n1,"2,2",3,\n4\n');
    expect(after(sheet, sheet.deleteColumns(1, 1))).toBe("a,c\n1,3\n4\n");
    expect(after(sheet, sheet.deleteColumns(2, 2))).toBe('a,b\n1,"2,2"\n4\n');
    expect(after(sheet, sheet.deleteColumns(0, 1))).toBe("c\n3\n\n");
  });

  test("a range is copied for other programs and pasted from them, beyond the edges too", () => {
    const sheet = sheetOf('a,"b\tx"\n1,2\n');
    expect(sheet.copied({ from: { row: 0, column: 0 }, to: { row: 1, column: 1 } })).toBe('a\t"b\tx"\n1\t2');
    expect(pasted('x\ty\r\n"q\nr"\t5"\n')).toEqual([["x", "y"], ["q\nr", '5"']]);
    expect(after(sheet, sheet.paste({ row: 1, column: 1 }, [["p", "q"], ["r", "s,t"]]))).toBe('a,"b\tx"\n1,p,q\n,r,"s,t"\n');
  });

  test("an offset of the text is in a cell, and a cell is at its offsets", () => {
    const sheet = sheetOf('a,"b c",d\n1,2\n');
    expect(sheet.at(0)).toEqual({ row: 0, column: 0 });
    expect(sheet.at(5)).toEqual({ row: 0, column: 1 });
    expect(sheet.at(12)).toEqual({ row: 1, column: 1 });
    expect(sheet.place({ row: 0, column: 1 })).toEqual({ from: 2, to: 7 });
    expect(sheet.place({ row: 1, column: 5 })).toEqual({ from: 13, to: 13 });
    expect(sheetOf("").at(0)).toBeNull();
  });

  test("an edit of one cell in a hundred thousand rows reads its neighbourhood only", () => {
    const text = textOf(Array.from({ length: 100_000 }, (_, row) => `${row},name ${row},x`).join("\n"));
    const sheet = new Sheet(text);
    const { from } = sheet.place({ row: 50_000, column: 1 });
    const edit = ChangeSet.of({ from, insert: "!" }, text.length);
    let read = 0;
    const counted = new Proxy(edit.apply(text), {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (key !== "sliceString") return typeof value === "function" ? value.bind(target) : value;
        return (start: number, end = target.length) => ((read += end - start), target.sliceString(start, end));
      },
    });
    sheet.update(edit, counted);
    expect(sheet.value({ row: 50_000, column: 1 })).toBe("!name 50000");
    expect(sheet.value({ row: 99_999, column: 0 })).toBe("99999");
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(200_000);
  });
});
