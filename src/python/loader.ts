/** Python that reads its program from the pipe, so that a process listing shows a short command. */
export const pythonLoader =
  'import socket;pipe=socket.socket(fileno=3);W=socket.MSG_WAITALL;exec(pipe.recv(int(pipe.recv(8,W)),W).decode())'

/** A program as {@link pythonLoader} reads it. */
export function loadedProgram(program: string): Buffer {
  const text = Buffer.from(program)
  return Buffer.concat([Buffer.from(String(text.length).padStart(8)), text])
}
