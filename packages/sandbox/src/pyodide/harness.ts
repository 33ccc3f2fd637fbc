/**
 * The Python that runs before the approved code. It closes the doors to JavaScript that Pyodide opens by default, and hands text in
 * and out. The wall is the process around it: Python code that finds another way to JavaScript is still in an empty, offline child.
 */
export const PYTHON_HARNESS = `
def __sealpool_harness():
    import sys, json, io, os, traceback, builtins, random, math
    random.seed(0)
    real_import = builtins.__import__
    closed = ('js', 'pyodide', 'pyodide_js', '_pyodide', '_pyodide_core', 'micropip', 'ctypes', '_ctypes')
    def is_closed(name):
        return any(name == one or name.startswith(one + '.') for one in closed)

    class Lines(io.TextIOBase):
        def __init__(self):
            self.lines = ['']
        def writable(self):
            return True
        def write(self, text):
            for piece in str(text).splitlines(keepends=True):
                if len(self.lines) <= 100:
                    self.lines[-1] = (self.lines[-1] + piece.rstrip('\\n'))[:1000]
                    if piece.endswith('\\n'):
                        self.lines.append('')
            return len(text)

    def line_of(error):
        found = 0
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == 'code.py' or frame.filename.startswith('/code/'):
                found = frame.lineno or 0
        return found

    # Of the approved code: what the code itself parses (a literal in a file, say) has another name, or none.
    def is_of_code(error):
        name = error.filename or ''
        return name == 'code.py' or name.startswith('/code/')

    def plain(value, depth=0):
        if depth > 256:
            raise ValueError('nesting')
        if value is None or isinstance(value, (bool, str)):
            return True
        if isinstance(value, int):
            return abs(value) <= 2 ** 53
        if isinstance(value, float):
            return math.isfinite(value)
        if isinstance(value, (list, tuple)):
            return all(plain(one, depth + 1) for one in value)
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(one, depth + 1) for key, one in value.items())
        return False

    def write_files(root, files):
        import base64
        for name, content in files.items():
            parts = name.split('/')
            if name.startswith('/') or '..' in parts or '' in parts:
                raise ValueError('path')
            path = os.path.join(root, *parts)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            data = base64.b64decode(content['base64'], validate=True) if isinstance(content, dict) else content.encode('utf-8')
            with open(path, 'wb') as file:
                file.write(data)

    def script(code, given):
        os.makedirs('/input', exist_ok=True)
        os.makedirs('/output', exist_ok=True)
        write_files('/input', given.get('files', {}))
        os.environ.update({str(key): str(value) for key, value in given.get('env', {}).items()})
        import runpy
        if code.startswith('{'):
            bundle = json.loads(code)
            write_files('/code', bundle['files'])
            sys.path.insert(0, '/code')
            sys.argv = [bundle['main']]
            runpy.run_module(bundle['main'], run_name='__main__', alter_sys=True)
        else:
            sys.argv = ['code.py']
            exec(compile(code, 'code.py', 'exec'), {'__name__': '__main__'})
        with open('/output/results.json', encoding='utf-8') as file:
            return json.load(file)

    def run(code, entry, given, longest):
        out = Lines()
        sys.stdout = sys.stderr = out
        for name in [*closed, *(name for name in sys.modules if is_closed(name))]:
            sys.modules[name] = None
        sys.meta_path[:] = [finder for finder in sys.meta_path if 'pyodide' not in type(finder).__module__]
        def guarded(name, globals=None, locals=None, fromlist=(), level=0):
            if level == 0 and is_closed(name):
                raise ImportError('not available in the sandbox')
            return real_import(name, globals, locals, fromlist, level)
        builtins.__import__ = guarded
        answer = {'status': 'threw', 'name': 'Exception', 'line': 0}
        try:
            value = json.loads(given)
            try:
                if entry == '__main__':
                    try:
                        result = script(code, value)
                    except SystemExit as stop:
                        if stop.code not in (None, 0):
                            raise
                        with open('/output/results.json', encoding='utf-8') as file:
                            result = json.load(file)
                else:
                    space = {'__name__': 'code'}
                    exec(compile(code, 'code.py', 'exec'), space)
                    function = space.get(entry)
                    if not callable(function):
                        return json.dumps({'status': 'missing'})
                    result = function(value)
            except SyntaxError as error:
                if not is_of_code(error):
                    raise
                return json.dumps({'status': 'syntax', 'line': error.lineno or 0})
            if not plain(result):
                return json.dumps({'status': 'json'})
            text = json.dumps(result, allow_nan=False, ensure_ascii=False, separators=(',', ':'))
            try:
                size = len(text.encode('utf-8'))
            except UnicodeEncodeError:
                return json.dumps({'status': 'json'})
            if size > longest:
                return json.dumps({'status': 'large'})
            lines = out.lines[:100]
            if lines and lines[-1] == '':
                lines = lines[:-1]
            return json.dumps({'status': 'ok', 'output': text, 'logs': lines})
        except MemoryError as error:
            answer = {'status': 'memory', 'line': line_of(error)}
        except RecursionError as error:
            answer = {'status': 'stack', 'line': line_of(error)}
        except BaseException as error:
            known = getattr(builtins, type(error).__name__, None) is type(error)
            answer = {'status': 'threw', 'name': type(error).__name__ if known else '', 'line': line_of(error)}
        return json.dumps(answer)
    return run
__sealpool_run = __sealpool_harness()
del __sealpool_harness
`
