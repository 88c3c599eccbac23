import * as z from 'zod/mini'

/** How a finding is to be taken: with a `problem` a run would fail, or not do what it is for. */
export const levels = ['ok', 'note', 'warning', 'problem'] as const
export type Level = (typeof levels)[number]

/** One thing that was looked at and what was seen. */
export const findingSchema = z.object({
  level: z.enum(levels),
  /** What was looked at, in one or two words. */
  subject: z.string(),
  finding: z.string(),
  /** What to do about it. */
  advice: z.optional(z.string()),
  /** The processes that it holds for, where several were compared. */
  ranks: z.optional(z.array(z.number())),
})
export type Finding = z.infer<typeof findingSchema>

/** A finding; `advice` is left out where there is none. */
export function found(level: Level, subject: string, finding: string, advice?: string): Finding {
  return { level, subject, finding, ...(advice === undefined ? {} : { advice }) }
}

/** The findings of each level about one subject: `warning('it is slow', 'take a faster one')`. */
export function about(subject: string) {
  const say = (level: Level) => (finding: string, advice?: string) => found(level, subject, finding, advice)
  return { ok: say('ok'), note: say('note'), warning: say('warning'), problem: say('problem') }
}

/** The finding of a message such as our errors have: what follows the last semicolon is the advice. */
export function foundMessage(level: Level, subject: string, message: string): Finding {
  const end = message.lastIndexOf('; ')
  return end === -1
    ? found(level, subject, message)
    : found(level, subject, message.slice(0, end), message.slice(end + 2))
}

/** Whether a run would fail. */
export function hasProblem(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === 'problem')
}

/** The findings with those of one subject together, in the order in which subjects first come. */
export function bySubject(findings: readonly Finding[]): Finding[] {
  const subjects = [...new Set(findings.map(({ subject }) => subject))]
  return subjects.flatMap((subject) => findings.filter((finding) => finding.subject === subject))
}
